// The one way to write a file: what links, modes and names become.
#include "io/output_file.h"

#include <doctest/doctest.h>

#include <fcntl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include <cstring>
#include <filesystem>
#include <span>
#include <string>
#include <string_view>

#include "helpers/safetensors_file.h"
#include "helpers/temporary_directory.h"

namespace {

namespace fs = std::filesystem;
using simdrop::detail::Descriptor;
using simdrop::detail::OutputFile;

void put(const fs::path& path, std::string_view text, bool sync = false) {
  OutputFile file(path, sync);
  file.write(std::as_bytes(std::span(text)));
  file.commit();
}

// "no error", or what comes behind "simdrop: PATH: ".
std::string error_of(const fs::path& path) {
  const std::string message = test::file_error([&] { put(path, "new"); });
  const std::string start = "simdrop: " + path.string() + ": ";
  return message.starts_with(start) ? message.substr(start.size()) : message;
}

mode_t mode_of(const fs::path& path) {
  struct stat status {};
  REQUIRE(lstat(path.c_str(), &status) == 0);
  return status.st_mode & 07777;
}

// A umask while it lives.
struct Umask {
  explicit Umask(mode_t mask) : before(umask(mask)) {}
  ~Umask() { umask(before); }
  Umask(const Umask&) = delete;
  Umask& operator=(const Umask&) = delete;
  mode_t before;
};

}  // namespace

TEST_CASE("output file: a new file has the mode that the umask leaves") {
  const test::TemporaryDirectory dir;
  for (const mode_t mask : {mode_t{0}, mode_t{022}, mode_t{027}, mode_t{077}}) {
    const Umask umask(mask);
    const std::string path = dir.name("new" + std::to_string(mask));
    put(path, "text", true);
    CHECK(mode_of(path) == (0666 & ~mask));
    CHECK(test::read_file(path) == "text");
  }
}

TEST_CASE("output file: a file keeps its mode, whatever the umask, but for setuid and its like") {
  const test::TemporaryDirectory dir;
  const std::string path = dir.write("f", "old");
  const struct {
    mode_t before, after;
  } modes[] = {{0600, 0600}, {0400, 0400},  {0444, 0444},  {0640, 0640},  {0660, 0660},
               {0666, 0666}, {0755, 0755},  {0604, 0604},  {0777, 0777},  {0007, 0007},
               {0000, 0000}, {04755, 0755}, {02755, 0755}, {01644, 0644}, {07777, 0777}};
  for (const mode_t mask : {mode_t{0}, mode_t{022}, mode_t{077}, mode_t{0777}}) {
    const Umask umask(mask);
    for (const auto& mode : modes) {
      CAPTURE(mode.before);
      REQUIRE(chmod(path.c_str(), mode.before) == 0);
      put(path, "new");
      CHECK(mode_of(path) == mode.after);
    }
  }
  REQUIRE(chmod(path.c_str(), 0600) == 0);
  CHECK(test::read_file(path) == "new");
  CHECK(dir.entries() == 1);
}

TEST_CASE("output file: links stay, what they lead to is replaced") {
  const test::TemporaryDirectory dir;
  fs::create_directories(dir.name("a/b"));
  fs::create_directory(dir.name("real"));
  fs::create_directory_symlink("../real", dir.name("a/other"));
  const struct {
    const char* link;
    std::string to;
    const char* file;
  } links[] = {{"relative", "file", "file"},
               {"down", "a/b/file", "a/b/file"},
               {"a/b/up", "../../up", "up"},
               {"through", "a/other/file", "real/file"},
               // The folder above that of the link's target, not above the link.
               {"a/back", "other/../back", "back"},
               {"absolute", dir.name("far"), "far"},
               {"chain", "relative", "file"},
               {"dots", "./a/.././dots of a name", "dots of a name"}};
  for (const bool there : {false, true}) {
    for (const auto& link : links) {
      CAPTURE(link.link);
      if (!there) fs::create_symlink(link.to, dir.name(link.link));
      put(dir.name(link.link), link.link);
      CHECK(fs::is_symlink(dir.name(link.link)));
      CHECK(fs::is_regular_file(fs::symlink_status(dir.name(link.file))));
      CHECK(test::read_file(dir.name(link.file)) == link.link);
    }
  }
  // 8 links, 5 files and 2 folders; nothing else.
  CHECK(dir.entries() == 13);
}

TEST_CASE("output file: chains of links as long as the system follows, and loops") {
  const test::TemporaryDirectory dir;
  std::string last = "file";
  for (int i = 1; i <= 41; ++i) {
    const std::string link = "link" + std::to_string(i);
    fs::create_symlink(last, dir.name(link));
    last = link;
  }
  put(dir.name("link40"), "forty");
  CHECK(test::read_file(dir.name("file")) == "forty");
  CHECK(error_of(dir.name("link41")) == "Too many levels of symbolic links");
  fs::create_symlink("loop", dir.name("loop"));
  fs::create_symlink("pong", dir.name("ping"));
  fs::create_symlink("ping", dir.name("pong"));
  for (const char* loop : {"loop", "ping"}) {
    CHECK(error_of(dir.name(loop)) == "Too many levels of symbolic links");
    CHECK(fs::is_symlink(dir.name(loop)));
  }
}

TEST_CASE("output file: other hard links keep the old file") {
  const test::TemporaryDirectory dir;
  const std::string path = dir.write("f", "old");
  fs::create_hard_link(path, dir.name("other"));
  put(path, "new");
  CHECK(test::read_file(path) == "new");
  CHECK(test::read_file(dir.name("other")) == "old");
}

TEST_CASE("output file: names as long as the system has them") {
  const test::TemporaryDirectory dir;
  const std::string longest(255, 'n');
  put(dir.name(longest), "new");
  put(dir.name(longest), "newer", true);
  CHECK(test::read_file(dir.name(longest)) == "newer");
  CHECK(error_of(dir.name(longest + "n")) == "File name too long");
  CHECK(error_of(dir.name(std::string(5000, '/') + "f")) == "File name too long");
  for (const char* odd : {" ", "-", "a\nb", "\xff\xfe", "~", ".simdrop-1-0.tmp"}) {
    put(dir.name(odd), "odd");
    CHECK(test::read_file(dir.name(odd)) == "odd");
  }
  CHECK(dir.entries() == 7);
}

TEST_CASE("output file: places for which no file can be") {
  const test::TemporaryDirectory dir;
  dir.write("plain", "old");
  fs::create_directory(dir.name("folder"));
  fs::create_directory_symlink("folder", dir.name("to folder"));
  fs::create_symlink("missing/", dir.name("to a name with a slash"));
  fs::create_symlink("no folder/f", dir.name("to no folder"));
  const std::string nothing = "No such file or directory", none = "Not a directory";
  CHECK(error_of("") == nothing);
  CHECK(error_of(dir.name("new/")) == nothing);
  CHECK(error_of(dir.name("new/.")) == "can't be written: " + nothing);
  CHECK(error_of(dir.name("to a name with a slash")) == nothing);
  CHECK(error_of(dir.name("no folder/f")) == "can't be written: " + nothing);
  CHECK(error_of(dir.name("to no folder")) == "can't be written: " + nothing);
  CHECK(error_of(dir.name("plain/")) == none);
  CHECK(error_of(dir.name("plain/f")) == none);
  for (const char* folder : {"", ".", "folder", "folder/", "folder/.", "folder/..", "to folder"}) {
    CHECK(error_of(dir.name(folder)) == "is a directory");
  }
  CHECK(test::read_file(dir.name("plain")) == "old");
  CHECK(dir.entries() == 5);
}

TEST_CASE("output file: what is no regular file is not replaced") {
  const test::TemporaryDirectory dir;
  REQUIRE(mkfifo(dir.name("fifo").c_str(), 0600) == 0);
  // bind() takes short paths alone.
  const fs::path before = fs::current_path();
  fs::current_path(dir.path());
  sockaddr_un name{};
  name.sun_family = AF_UNIX;
  std::strcpy(name.sun_path, "socket");
  const Descriptor socket(::socket(AF_UNIX, SOCK_STREAM, 0));
  const int bound = bind(socket.get(), reinterpret_cast<const sockaddr*>(&name), sizeof(name));
  fs::current_path(before);
  REQUIRE(bound == 0);
  fs::create_symlink("/dev/null", dir.name("device"));
  fs::create_symlink("fifo", dir.name("to fifo"));
  for (const char* file : {"fifo", "socket", "device", "to fifo"}) {
    CHECK(error_of(dir.name(file)) == "is not a regular file");
  }
  CHECK(fs::is_fifo(dir.name("fifo")));
  CHECK(fs::is_socket(dir.name("socket")));
  CHECK(fs::is_symlink(dir.name("device")));
  CHECK(fs::is_character_file("/dev/null"));
  CHECK(dir.entries() == 4);
}

TEST_CASE("output file: a link of /proc to a file that has lost its name") {
  const test::TemporaryDirectory dir;
  const std::string path = dir.write("f", "old");
  const Descriptor open_file(open(path.c_str(), O_RDWR | O_CLOEXEC));
  const std::string link = "/proc/self/fd/" + std::to_string(open_file.get());
  std::error_code error;
  if (!fs::exists(fs::symlink_status(link, error))) {
    MESSAGE("skipped: there is no /proc/self/fd");
    return;
  }
  put(link, "new");
  CHECK(test::read_file(path) == "new");
  const Descriptor newer(open(path.c_str(), O_RDWR | O_CLOEXEC));
  fs::remove(path);
  CHECK(error_of("/proc/self/fd/" + std::to_string(newer.get())) ==
        "can't be replaced: it has no name");
  CHECK(dir.entries() == 0);
  // What the link says may be the name of another file.
  const std::string other = dir.write("f (deleted)", "other");
  CHECK(error_of("/proc/self/fd/" + std::to_string(newer.get())) ==
        "can't be replaced: it has no name");
  CHECK(test::read_file(other) == "other");
}

TEST_CASE("output file: what is not committed is not there") {
  const test::TemporaryDirectory dir;
  const std::string path = dir.write("f", "old");
  for (const char* name : {"f", "new"}) {
    OutputFile file(dir.name(name));
    file.write(std::as_bytes(std::span(std::string_view("half"))));
    CHECK(dir.entries() == 2);  // the temporary one beside it
  }
  CHECK(test::read_file(path) == "old");
  CHECK(dir.entries() == 1);
}

TEST_CASE("output file: a temporary file that a killed process left is not in the way") {
  const test::TemporaryDirectory dir;
  const std::string left = ".simdrop-" + std::to_string(getpid()) + "-0.tmp";
  dir.write(left, "left");
  put(dir.name("f"), "new");
  CHECK(test::read_file(dir.name("f")) == "new");
  CHECK(test::read_file(dir.name(left)) == "left");
}

TEST_CASE("output file: an open descriptor is written into") {
  int ends[2];
  REQUIRE(pipe2(ends, O_CLOEXEC | O_NONBLOCK) == 0);
  const Descriptor reader(ends[0]);
  OutputFile file(Descriptor(ends[1]), "a pipe");
  file.write(std::as_bytes(std::span(std::string_view("through"))));
  file.commit();
  char text[16] = "";
  CHECK(read(reader.get(), text, sizeof(text)) == 7);
  CHECK(std::string(text) == "through");
  CHECK(read(reader.get(), text, sizeof(text)) == 0);  // it is closed
  OutputFile full(Descriptor(open("/dev/full", O_WRONLY | O_CLOEXEC)), "a device");
  CHECK(test::file_error([&] { full.write(std::as_bytes(std::span(std::string_view("x")))); }) ==
        "simdrop: a device: write failed: No space left on device");
}
