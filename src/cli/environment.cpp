#include "cli/environment.h"

#include "cli/terminal.h"
#include "simdrop/isa.hpp"
#include "threading/parallel.h"

namespace simdrop::cli {
namespace {

std::string table_list(const Json& tables) {
  std::string text;
  const Table table({{"table", 9, true}, {"compiled"}, {"this CPU"}, {"in use"}});
  text += table.header();
  for (const Json& entry : tables) {
    text += table.row({entry["name"].get<std::string>(), entry["compiled"] ? "yes" : "no",
                       entry["supported"] ? "yes" : "no", entry["active"] ? "yes" : ""});
  }
  return text;
}

}  // namespace

int effective_threads(int requested) {
  return static_cast<int>(detail::team_size(requested));
}

const char* version() {
  return SIMDROP_VERSION;
}

std::string environment_line(int threads) {
  const int team = effective_threads(threads);
  return std::string("simdrop ") + version() + ", " + cpu_name() + ", " + isa_name(active_isa()) +
         " kernels, " + std::to_string(team) + (team == 1 ? " thread" : " threads") + "\n";
}

Json environment_json(int threads) {
  return {{"version", version()},
          {"cpu", cpu_name()},
          {"isa", isa_name(active_isa())},
          {"threads", effective_threads(threads)},
          {"openmp", SIMDROP_USES_OPENMP != 0},
          {"compiler", SIMDROP_COMPILER},
          {"build_type", SIMDROP_BUILD_TYPE}};
}

void run_info(const InfoConfig& config) {
  JsonFile file(config.json_path, config.no_sync);
  Json json = environment_json(0);
  Json& tables = json["tables"] = Json::array();
  for (const IsaInfo& info : isa_list()) {
    tables.push_back({{"name", info.name},
                      {"compiled", info.compiled},
                      {"supported", info.supported},
                      {"active", info.isa == active_isa()}});
  }
  const Table facts({{"", 10, true}, {"", 0, true}});
  const auto fact = [&](const char* name, const std::string& value) {
    return facts.row({name, value});
  };
  print(fact("simdrop", version()) + fact("CPU", json["cpu"].get<std::string>()) +
        fact("kernels", json["isa"].get<std::string>()) +
        fact("threads", std::to_string(json["threads"].get<int>())) +
        fact("OpenMP", json["openmp"] ? "yes" : "no") + fact("compiler", SIMDROP_COMPILER) +
        fact("build", SIMDROP_BUILD_TYPE) + "\n" + table_list(tables));
  file.commit(json);
}

}  // namespace simdrop::cli
