#include "transport/shared_memory/formation.h"

#include <cstring>
#include <optional>
#include <random>

#include "core/utf8.h"

namespace lockstep::shared_memory {
namespace {

template <std::size_t N>
void put(std::array<char, N>& field, std::string_view text) {
  const std::string_view cut = cut_utf8(text, N - 1);
  field.fill(0);
  std::memcpy(field.data(), cut.data(), cut.size());
}

template <std::size_t N>
std::string get(const std::array<char, N>& field) {
  return {field.data(), ::strnlen(field.data(), N)};
}

std::string random_name(const std::string& label) {
  std::random_device random;
  constexpr char DIGITS[] = "0123456789abcdef";
  std::string name = NAME_PREFIX + label + "-";
  for (int i = 0; i < 16; ++i) name += DIGITS[random() % 16];
  return name;
}

/// Runs one part of the work. @return a report of how it went
template <typename Part>
Report attempt(Part part) {
  Report report;
  try {
    part(report);
  } catch (const std::exception& error) {
    report.failed = 1;
    put(report.error, error.what());
  }
  return report;
}

bool has_failed(const std::vector<Report>& reports, std::string& reason) {
  for (const Report& report : reports) {
    if (report.failed == 0) continue;
    reason = get(report.error);
    return true;
  }
  return false;
}

}  // namespace

std::unique_ptr<SharedMemory> form(const Place& place, const SharedMemoryOptions& options,
                                   const Exchange& exchange, std::string& reason) {
  std::optional<Segment> segment;
  const std::vector<Report> made = exchange(attempt([&](Report& report) {
    if (place.rank != 0) return;
    remove_stale_segments();
    const std::string name = random_name(place.label);
    segment.emplace(SharedMemory::make_segment(name, place.size, options));
    put(report.name, name);
  }));
  if (has_failed(made, reason)) return nullptr;

  std::unique_ptr<SharedMemory> memory;
  const std::vector<Report> joined = exchange(attempt([&](Report&) {
    if (place.rank != 0) segment.emplace(Segment::open(get(made.at(place.leader).name)));
    memory = std::make_unique<SharedMemory>(std::move(*segment), place.rank, options);
  }));
  // Whoever fails before this line removes the name as well, by ~Segment().
  if (memory != nullptr) memory->segment().forget_name();
  return has_failed(joined, reason) ? nullptr : std::move(memory);
}

}  // namespace lockstep::shared_memory
