#include "cli/overhead.h"

#include "cli/environment.h"
#include "cli/terminal.h"

namespace simdrop::cli {
namespace {

std::string with_spread(const Quartiles& values, int decimals) {
  return fixed(values.median, decimals) + " [" + fixed(values.low, decimals) + ", " +
         fixed(values.high, decimals) + "]";
}

Json quartiles_json(const Quartiles& values) {
  return {
      {"lower_quartile", values.low}, {"median", values.median}, {"upper_quartile", values.high}};
}

Json row_json(const OverheadRow& row) {
  return {{"width", row.width},
          {"batch", row.batch},
          {"keep_prob", row.keep_prob},
          {"unit", row.unit},
          {"pairs", row.pairs},
          {"none_ms", quartiles_json(row.none_ms)},
          {"dropout_ms", quartiles_json(row.dropout_ms)},
          {"ratio", quartiles_json(row.ratio)},
          {"core_share", row.disturbance.core_share},
          {"spread", row.disturbance.spread},
          {"disturbed", row.disturbance.disturbed()}};
}

// What is measured, and what the words of the table mean.
std::string explanation(const OverheadConfig& config) {
  const std::string input =
      config.input_keep_prob < 1.0
          ? " and on the input (keep_prob " + shortest(config.input_keep_prob) + ")"
          : "";
  return "What dropout costs: a training step of 784-width-width-10 (SGD with momentum), without "
         "and with\ndropout on the hidden layers" +
         input +
         "\n\n"
         "  keep_prob  probability that a unit is kept (PyTorch's p is 1 - keep_prob)\n"
         "  element    each unit of each example is kept or dropped by itself\n"
         "  neuron     a unit is kept or dropped for the whole batch: the step is that of the "
         "smaller network\n"
         "  lazy       as neuron, and the optimiser leaves the weights of dropped units alone\n"
         "  pairs      how often a step without and a step with dropout were timed, one after the "
         "other,\n"
         "             on the same network; times and ratios are medians over the pairs\n"
         "  *          other programs kept the machine busy\n\n";
}

Table overhead_table() {
  return Table({{"width"},
                {"batch"},
                {"keep_prob"},
                {"unit", 7, true},
                {"none ms", 8},
                {"step ms [quartiles]", 24},
                {"ratio to none [quartiles]", 24},
                {"pairs", 6}});
}

std::string table_row(const Table& table, const OverheadRow& row) {
  std::string text =
      table.row({std::to_string(row.width), std::to_string(row.batch), shortest(row.keep_prob),
                 row.unit, fixed(row.none_ms.median, 3), with_spread(row.dropout_ms, 3),
                 with_spread(row.ratio, 3), std::to_string(row.pairs)});
  if (row.disturbance.disturbed()) text.insert(text.size() - 1, " *");
  return text;
}

}  // namespace

std::string disturbance_note(const std::vector<OverheadRow>& rows) {
  Disturbance found;
  for (const OverheadRow& row : rows) found = worst(found, row.disturbance);
  if (!found.disturbed()) return "";
  return std::string("\n") + busy_machine(found) +
         "Do not rely on the ratios in rows marked *; these figures are of the worst of them.\n";
}

std::vector<OverheadRow> measure_overhead(const OverheadConfig& config) {
  const Table table = overhead_table();
  print(explanation(config) + table.header());
  ProgressLine line;
  std::vector<OverheadRow> rows;
  const auto measure = [&](const OverheadSetting& setting) {
    OverheadTimer timer(setting);
    for (const double keep_prob : config.keep_probs) {
      line.show("measuring " + setting.unit + ", width " + std::to_string(setting.width) +
                ", batch " + std::to_string(setting.batch) + ", keep_prob " + shortest(keep_prob));
      rows.push_back(timer.measure(keep_prob, config.seconds));
      line.clear();
      print(table_row(table, rows.back()));
    }
  };
  for (const std::size_t width : config.widths) {
    for (const std::size_t batch : config.batches) {
      for (const std::string& unit : config.units) {
        measure({width, batch, unit, config.input_keep_prob, config.threads});
      }
    }
  }
  print(disturbance_note(rows));
  return rows;
}

void run_overhead(const OverheadConfig& config) {
  JsonFile file(config.json_path, config.no_sync);
  print(environment_line(config.threads));
  Json json{{"environment", environment_json(config.threads)},
            {"input_keep_prob", config.input_keep_prob},
            {"seconds_per_row", config.seconds},
            {"rows", Json::array()}};
  bool disturbed = false;
  for (const OverheadRow& row : measure_overhead(config)) {
    json["rows"].push_back(row_json(row));
    disturbed = disturbed || row.disturbance.disturbed();
  }
  json["disturbed"] = disturbed;
  file.commit(json);
}

}  // namespace simdrop::cli
