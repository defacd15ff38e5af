#include "transport/shared_memory/formation.h"

#include <algorithm>
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
    report.state = Report::FAILED;
    put(report.error, error.what());
  }
  return report;
}

bool any_is(const std::vector<Report>& reports, Report::State state) {
  return std::ranges::any_of(reports, [&](const Report& report) { return report.state == state; });
}

bool has_failed(const std::vector<Report>& reports, std::string& reason) {
  const auto failed = std::ranges::find(reports, std::uint32_t{Report::FAILED}, &Report::state);
  if (failed != reports.end()) reason = get(failed->error);
  return failed != reports.end();
}

}  // namespace

std::unique_ptr<SharedMemory> form(const Place& place, const SharedMemoryOptions& options,
                                   const Exchange& exchange, std::string& reason) {
  std::optional<Segment> segment;
  std::vector<Report> reports = exchange(attempt([&](Report& report) {
    if (place.rank != 0) return;
    remove_stale_segments();
    segment.emplace(SharedMemory::make_segment(place.size, options));
    report.place = segment->place();
  }));
  if (has_failed(reports, reason)) return nullptr;

  const Segment::Place where = reports.at(place.leader).place;
  reports = exchange(attempt([&](Report& report) {
    if (place.rank != 0 && options.by_name) report.state = Report::CANNOT_REACH;
    if (place.rank == 0 || options.by_name) return;
    segment = Segment::open(where);
    if (!segment) report.state = Report::CANNOT_REACH;
  }));
  if (any_is(reports, Report::CANNOT_REACH)) {
    reports = exchange(attempt([&](Report& report) {
      if (place.rank != 0) return;
      const std::string name = random_name(place.label);
      segment->give_name(name);
      put(report.name, name);
    }));
    if (has_failed(reports, reason)) return nullptr;
  }
  const std::string name = get(reports.at(place.leader).name);

  std::unique_ptr<SharedMemory> memory;
  reports = exchange(attempt([&](Report&) {
    if (!segment) segment.emplace(Segment::open(name));
    memory = std::make_unique<SharedMemory>(std::move(*segment), place.rank, options);
  }));
  // Whoever fails before this line removes the name as well, by ~Segment().
  if (memory != nullptr) memory->segment().forget_name();
  return has_failed(reports, reason) ? nullptr : std::move(memory);
}

}  // namespace lockstep::shared_memory
