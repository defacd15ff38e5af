#include "learning/row_identity.h"

#include <algorithm>
#include <bit>
#include <numeric>

#include "learning/random.h"

namespace lockstep::learning {
namespace {

/// The first number of each rank's rows of a hash, by merging the ranks' lists, which ascend by hash.
/// @param asked one rank's pairs of hash and number of rows after the other's; @param lengths of the lists
void number_rows(const std::vector<std::int64_t>& asked, const std::vector<std::int64_t>& lengths,
                 std::vector<std::vector<std::int64_t>>& answers) {
  std::vector<std::size_t> at(lengths.size()), end(lengths.size());
  for (std::size_t r = 0, begin = 0; r < lengths.size(); begin = end[r++]) {
    at[r] = begin;
    end[r] = begin + static_cast<std::size_t>(lengths[r]);
    answers[r].reserve((end[r] - begin) / 2);
  }
  while (true) {
    bool any = false;
    std::uint64_t least = 0;
    for (std::size_t r = 0; r < at.size(); ++r) {
      if (at[r] == end[r]) continue;
      const auto hash = static_cast<std::uint64_t>(asked[at[r]]);
      least = any ? std::min(least, hash) : hash;
      any = true;
    }
    if (!any) return;
    std::int64_t first = 0;
    for (std::size_t r = 0; r < at.size(); ++r) {
      if (at[r] == end[r] || static_cast<std::uint64_t>(asked[at[r]]) != least) continue;
      answers[r].push_back(first);
      first += asked[at[r] + 1];
      at[r] += 2;
    }
  }
}

}  // namespace

std::uint64_t content_hash(std::span<const double> values) {
  std::uint64_t hash = mix(values.size());
  for (const double value : values) {
    const double canonical = value == 0 ? 0.0 : value;
    const std::uint64_t bits = value != value ? 0x7ff8000000000000u : std::bit_cast<std::uint64_t>(canonical);
    hash = combine(hash, bits);
  }
  return hash;
}

std::vector<std::uint64_t> identities(const Group& group, std::span<const std::uint64_t> content) {
  std::vector<std::uint32_t> order(content.size());
  std::iota(order.begin(), order.end(), 0u);
  std::ranges::sort(order, {}, [&](std::uint32_t row) { return content[row]; });
  // Every hash has an owner, which is told how many rows of each rank have it and answers with the first
  // number.
  const auto ranks = static_cast<std::uint64_t>(group.size());
  std::vector<std::vector<std::int64_t>> questions(ranks);
  std::vector<std::vector<std::uint32_t>> asked(ranks);  // where the run begins in `order`
  for (std::size_t begin = 0, end = 0; begin < order.size(); begin = end) {
    const std::uint64_t hash = content[order[begin]];
    for (end = begin; end < order.size() && content[order[end]] == hash;) ++end;
    questions[hash % ranks].push_back(static_cast<std::int64_t>(hash));
    questions[hash % ranks].push_back(static_cast<std::int64_t>(end - begin));
    asked[hash % ranks].push_back(static_cast<std::uint32_t>(begin));
  }
  std::vector<std::vector<std::int64_t>> answers(ranks);
  if (ranks > 1) {
    std::vector<std::int64_t> counts;
    number_rows(group.exchange(questions, &counts), counts, answers);
    const std::vector<std::int64_t> joined = group.exchange(answers, &counts);
    std::size_t position = 0;
    for (std::size_t r = 0; r < ranks; ++r) {
      answers[r].assign(
          joined.begin() + static_cast<std::ptrdiff_t>(position),
          joined.begin() + static_cast<std::ptrdiff_t>(position + static_cast<std::size_t>(counts[r])));
      position += static_cast<std::size_t>(counts[r]);
    }
  }
  std::vector<std::uint64_t> result(content.size());
  for (std::size_t r = 0; r < ranks; ++r) {
    for (std::size_t i = 0; i < asked[r].size(); ++i) {
      const std::size_t begin = asked[r][i];
      std::uint64_t number = ranks > 1 ? static_cast<std::uint64_t>(answers[r][i]) : 0;
      for (auto left = questions[r][2 * i + 1]; left > 0; --left, ++number) {
        const std::uint32_t row = order[begin + static_cast<std::size_t>(questions[r][2 * i + 1] - left)];
        result[row] = combine(content[row], number);
      }
    }
  }
  return result;
}

}  // namespace lockstep::learning
