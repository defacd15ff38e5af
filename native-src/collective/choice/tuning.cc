#include "collective/choice/tuning.h"

#include <algorithm>
#include <charconv>
#include <optional>
#include <sstream>

#include "collective/choice/algorithm.h"
#include "collective/choice/select.h"
#include "core/data_type.h"
#include "lockstep/error.h"

namespace lockstep {
namespace {

constexpr std::string_view FIRST_LINE = "lockstep-tuning 1";
constexpr std::string_view ANY = "*";

std::vector<std::string_view> words_of(std::string_view line) {
  line = line.substr(0, line.find('#'));
  std::vector<std::string_view> words;
  constexpr std::string_view BLANKS = " \t\r";
  for (std::size_t begin = line.find_first_not_of(BLANKS); begin != std::string_view::npos;) {
    const std::size_t end = std::min(line.find_first_of(BLANKS, begin), line.size());
    words.push_back(line.substr(begin, end - begin));
    begin = line.find_first_not_of(BLANKS, end);
  }
  return words;
}

std::string quoted(std::string_view word) {
  std::string text(1, '`');
  return text.append(word).append(1, '`');
}

template <typename Number>
std::optional<Number> positive(std::string_view word) {
  Number number = 0;
  const auto [end, error] = std::from_chars(word.data(), word.data() + word.size(), number);
  if (error != std::errc() || end != word.data() + word.size() || number < 1) return std::nullopt;
  return number;
}

/// Reads one line after the other; `where_` starts every error.
class Parser {
 public:
  Parser(std::string_view text, const std::string& source) : text_(text), source_(source) {}

  Tuning run() {
    Tuning tuning;
    tuning.rows.clear();
    bool begun = false;
    while (!text_.empty()) {
      const std::string_view line = next_line();
      const std::vector<std::string_view> words = words_of(line);
      if (words.empty()) continue;
      if (!begun) {
        if (words != words_of(FIRST_LINE)) refuse("the first line must be " + quoted(FIRST_LINE));
        begun = true;
      } else if (words[0] == "segment-bytes") {
        tuning.segment_bytes = segment_bytes(words);
      } else {
        tuning.rows.push_back(row(words));
      }
    }
    if (!begun) refuse("the first line must be " + quoted(FIRST_LINE));
    return tuning;
  }

 private:
  [[noreturn]] void refuse(const std::string& why) const {
    throw Error(ErrorCode::INVALID_ARGUMENT,
                "Tuning " + source_ + ", line " + std::to_string(std::max(line_, 1)) + ": " + why + ".");
  }

  std::string_view next_line() {
    const std::size_t end = std::min(text_.find('\n'), text_.size());
    const std::string_view line = text_.substr(0, end);
    text_.remove_prefix(std::min(end + 1, text_.size()));
    ++line_;
    return line;
  }

  std::size_t segment_bytes(const std::vector<std::string_view>& words) {
    if (has_segment_) refuse("segment-bytes is there twice");
    has_segment_ = true;
    if (words.size() != 2) refuse("segment-bytes takes one number");
    return bytes(words[1]);
  }

  TuningRow row(const std::vector<std::string_view>& words) const {
    if (words.size() != 5) {
      refuse("a row has five words (operation, ranks, hosts, below-bytes, algorithm), not " +
             std::to_string(words.size()));
    }
    TuningRow row;
    row.operation = operation(words[0]);
    row.ranks = interval(words[1], "ranks");
    row.hosts = interval(words[2], "hosts");
    row.below_bytes = words[3] == ANY ? TuningRow::UNLIMITED : bytes(words[3]);
    row.algorithm = algorithm(words[4], row.operation);
    return row;
  }

  Operation operation(std::string_view word) const {
    for (std::int32_t code = 0; code <= static_cast<std::int32_t>(Operation::SPLIT); ++code) {
      const Operation operation = operation_from(code);
      if (word == name_of(operation) && !algorithms_of(operation).empty()) return operation;
    }
    refuse(quoted(word) + " is no collective");
  }

  Algorithm algorithm(std::string_view word, Operation operation) const {
    const std::optional<Algorithm> known = algorithm_from(word);
    if (!known) refuse(quoted(word) + " is no algorithm");
    const auto own = algorithms_of(operation);
    const bool may_be = *known == Algorithm::DIRECT || *known == Algorithm::HIERARCHICAL ||
                        std::ranges::find(own, *known) != own.end();
    if (!may_be) refuse(name_of(operation) + " has no algorithm " + name_of(*known));
    return *known;
  }

  std::size_t bytes(std::string_view word) const {
    const auto number = positive<std::size_t>(word);
    if (!number) refuse(quoted(word) + " is no number of bytes from 1");
    return *number;
  }

  /// "*", "4", "2-8" or "9-*".
  Interval interval(std::string_view word, const char* what) const {
    if (word == ANY) return {};
    const std::size_t dash = word.find('-');
    const auto least = positive<int>(word.substr(0, dash));
    const std::string_view after = dash == std::string_view::npos ? word : word.substr(dash + 1);
    const auto most = after == ANY ? std::optional(Interval::UNLIMITED) : positive<int>(after);
    if (!least || !most || *least > *most) {
      refuse(quoted(word) + " is no number of " + what + "; write *, 4, 2-8 or 9-*");
    }
    return {*least, *most};
  }

  std::string_view text_;
  const std::string& source_;
  int line_ = 0;
  bool has_segment_ = false;
};

void write(std::ostream& out, const Interval& interval) {
  if (interval == Interval{}) {
    out << ANY;
    return;
  }
  out << interval.least;
  if (interval.most == interval.least) return;
  out << '-';
  if (interval.most == Interval::UNLIMITED) {
    out << ANY;
  } else {
    out << interval.most;
  }
}

}  // namespace

// Over loopback TCP (benchmark/all_reduce_benchmark.cc, two cores of a Sapphire Rapids server that were busy
// with other work, f32, medians of the slowest rank in microseconds, recursive doubling : halving–doubling :
// ring) two ranks took 145 : 152 : 152 for 32 KiB, 183 : 181 : 180 for 128 KiB, 237 : 223 : 223 for 256 KiB;
// three ranks 289 : 380 : 491, 339 : 417 : 504, 422 : 466 : 664 and for 1 MiB 1,323 : 1,183 : 1,123; four
// ranks 496 : 765 : 792, 700 : 911 : 915, 850 : 1,007 : 1,061 and 3,308 : 2,656 : 2,963. The trees were never
// first by more than the noise below 4 MiB, where they send twice what the ring sends. More ranks than four
// were not measured: halving–doubling has the ring's traffic in fewer messages where the number of ranks is a
// power of two, and only there.
std::vector<TuningRow> Tuning::default_rows() {
  constexpr std::size_t KIB = 1 << 10;
  std::vector<TuningRow> rows{
      // Memory is faster than messages at every size.
      {.algorithm = Algorithm::DIRECT},
      {.algorithm = Algorithm::HIERARCHICAL},
      {.algorithm = Algorithm::RECURSIVE_DOUBLING, .below_bytes = 128 * KIB, .ranks = {2, 2}},
      {.algorithm = Algorithm::RECURSIVE_DOUBLING, .below_bytes = 512 * KIB, .ranks = {3, 4}},
      {.algorithm = Algorithm::RECURSIVE_DOUBLING,
       .below_bytes = 256 * KIB,
       .ranks = {5, Interval::UNLIMITED}},
  };
  for (int ranks = 4; ranks <= 1024; ranks *= 2) {
    rows.push_back(
        {.algorithm = Algorithm::HALVING_DOUBLING, .below_bytes = 4096 * KIB, .ranks = {ranks, ranks}});
  }
  rows.push_back({.algorithm = Algorithm::RING});
  return rows;
}

Tuning parse_tuning(std::string_view text, const std::string& source) { return Parser(text, source).run(); }

std::string format_tuning(const Tuning& tuning) {
  std::ostringstream text;
  text << FIRST_LINE << "\nsegment-bytes " << tuning.segment_bytes << '\n';
  for (const TuningRow& row : tuning.rows) {
    text << name_of(row.operation) << ' ';
    write(text, row.ranks);
    text << ' ';
    write(text, row.hosts);
    text << ' ';
    if (row.below_bytes == TuningRow::UNLIMITED) {
      text << ANY;
    } else {
      text << row.below_bytes;
    }
    text << ' ' << name_of(row.algorithm) << '\n';
  }
  return text.str();
}

}  // namespace lockstep
