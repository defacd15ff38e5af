#include "splitting/sparse/sparse_iteration.h"

#include <algorithm>
#include <map>

namespace lockstep::splitting {

SparseIteration::SparseIteration(Communicator& group, const SparseProblem& problem, const Options& options)
    : problem_(problem), options_(options), exchange_(group, problem.mixing) {
  const Blocks& blocks = problem.blocks;
  x_.resize(static_cast<std::size_t>(problem.mixing.all_slots));
  y_.resize(x_.size());
  v_.resize(static_cast<std::size_t>(blocks.slots()));
  u_.resize(v_.size());
  measures_.resize(static_cast<std::size_t>(blocks.sensors()));
  find_boundary();
  make_batches();
  first_data_slots_ = first_duals_ = {0};
  std::int32_t most_slots = 0, most_variables = 0, widest = 0;
  std::vector<std::int32_t> slots;
  for (std::int32_t place = blocks.begin(); place < blocks.end(); ++place) {
    blocks.slots_of_data_term(place, slots);
    data_slots_.insert(data_slots_.end(), slots.begin(), slots.end());
    first_data_slots_.push_back(static_cast<std::int64_t>(data_slots_.size()));
    first_duals_.push_back(first_duals_.back() + problem.term(place).rows());
    most_slots = std::max(most_slots, blocks.end_slot(place) - blocks.first_slot(place));
    widest = std::max(widest, blocks.width(place));
    most_variables = std::max(most_variables, problem.term(place).variables());
    if (options.prox == ProxKind::INEXACT) inexact_.emplace_back(problem.term(place));
  }
  duals_.resize(static_cast<std::size_t>(first_duals_.back()));
  mixed_.resize(static_cast<std::size_t>(most_slots));
  multiplicities_.assign(static_cast<std::size_t>(widest * (widest + 1) / 2), 2.0);
  for (int column = 0; column < widest; ++column) {
    multiplicities_[static_cast<std::size_t>(column * (column + 3) / 2)] = 1;
  }
  xi_.resize(static_cast<std::size_t>(most_variables));
}

void SparseIteration::find_boundary() {
  const Blocks& blocks = problem_.blocks;
  for (std::int32_t place = blocks.begin(); place < blocks.end(); ++place) {
    bool needs_others = false;
    for (std::int32_t slot = blocks.first_slot(place); slot < blocks.end_slot(place); ++slot) {
      for (const std::int32_t copy : problem_.mixing.copies_of(slot)) needs_others |= copy >= blocks.slots();
    }
    (needs_others ? boundary_ : interior_).push_back(place);
  }
}

// Blocks of one width that stand near each other, so that what they touch is in the cache. Lanes that the
// boundary leaves empty are filled from the interior.
void SparseIteration::make_batches() {
  std::map<int, Batch> open;
  const auto close = [&](Batch& batch) {
    (batch.at_boundary ? boundary_batches_ : interior_batches_).push_back(batch);
    batch.count = 0;
    batch.at_boundary = false;
  };
  const auto add = [&](std::int32_t place, bool at_boundary) {
    const int width = problem_.blocks.width(place);
    Batch& batch = open.try_emplace(width, Batch{{}, 0, width, false}).first->second;
    batch.at_boundary |= at_boundary;
    batch.places[static_cast<std::size_t>(batch.count++)] = place;
    if (batch.count == static_cast<int>(PSD_LANES)) close(batch);
  };
  for (const std::int32_t place : boundary_) add(place, true);
  for (const std::int32_t place : interior_) add(place, false);
  for (auto& [width, batch] : open) {
    if (batch.count > 0) close(batch);
  }
}

void SparseIteration::start(std::span<const double> positions) {
  const Blocks& blocks = problem_.blocks;
  const int d = blocks.dimension();
  const auto coordinate = [&](std::int32_t place, int c) {
    if (positions.empty()) return 0.0;
    const std::int32_t sensor = problem_.partition.sensor_at[static_cast<std::size_t>(place)];
    return positions[static_cast<std::size_t>(sensor) * static_cast<std::size_t>(d) +
                     static_cast<std::size_t>(c)];
  };
  const auto product = [&](std::int32_t a, std::int32_t b) {
    double sum = 0;
    for (int c = 0; c < d; ++c) sum += coordinate(a, c) * coordinate(b, c);
    return sum;
  };
  for (std::int32_t place = blocks.begin(); place < blocks.end(); ++place) {
    const auto members = blocks.holders().members(place);
    double* value = &v_[static_cast<std::size_t>(blocks.first_slot(place))];
    for (int column = 0; column < d; ++column) {
      for (int row = 0; row <= column; ++row) *value++ = row == column ? 1.0 : 0.0;
    }
    for (std::size_t m = 0; m < members.size(); ++m) {
      for (int c = 0; c < d; ++c) *value++ = coordinate(members[m], c);
      for (std::size_t other = 0; other <= m; ++other) *value++ = product(members[other], members[m]);
    }
    for (const std::int32_t other : blocks.relayed(place)) *value++ = product(place, other);
  }
  for (std::size_t slot = 0; slot < v_.size(); ++slot) {
    x_[slot] = y_[slot] = v_[slot];
    u_[slot] = -v_[slot];
  }
  std::fill(duals_.begin(), duals_.end(), 0.0);
  for (InexactProx& prox : inexact_) prox.restart();
  std::fill(measures_.begin(), measures_.end(), std::array<double, 3>{});
  exchange(x_);
  exchange(y_);
}

void SparseIteration::exchange(std::span<double> values) {
  exchange_.post(values.data());
  exchange_.wait();
}

void SparseIteration::step() {
  project(boundary_batches_);
  for (const std::int32_t place : boundary_) pass_relayed(place);
  exchange_.post(x_.data());
  project(interior_batches_);
  for (const std::int32_t place : interior_) pass_relayed(place);
  exchange_.wait();
  fit_data(boundary_);
  exchange_.post(y_.data());
  fit_data(interior_);
  move_v(interior_);
  exchange_.wait();
  move_v(boundary_);
}

// A relay's own entries pass through the projection.
void SparseIteration::pass_relayed(std::int32_t place) {
  const Blocks& blocks = problem_.blocks;
  for (std::int32_t slot = blocks.first_slot(place) + blocks.block_slots(place);
       slot < blocks.end_slot(place); ++slot) {
    x_[static_cast<std::size_t>(slot)] = v_[static_cast<std::size_t>(slot)];
  }
}

void SparseIteration::project(std::span<const Batch> batches) {
  alignas(PSD_ALIGNMENT) double entries[PSD_MAX_WIDTH * PSD_MAX_WIDTH * PSD_LANES];
  for (const Batch& batch : batches) {
    const double* from[PSD_LANES];
    double* to[PSD_LANES];
    for (std::size_t lane = 0; lane < PSD_LANES; ++lane) {
      // Lanes without a sensor repeat the first one, and write what it writes.
      const std::int32_t place = batch.places[lane < static_cast<std::size_t>(batch.count) ? lane : 0];
      from[lane] = &v_[static_cast<std::size_t>(problem_.blocks.first_slot(place))];
      to[lane] = &x_[static_cast<std::size_t>(problem_.blocks.first_slot(place))];
    }
    std::size_t at = 0;
    for (int column = 0; column < batch.width; ++column) {
      for (int row = 0; row <= column; ++row, ++at) {
        double* entry = entries + static_cast<std::size_t>(row * batch.width + column) * PSD_LANES;
        for (std::size_t lane = 0; lane < PSD_LANES; ++lane) entry[lane] = from[lane][at];
      }
    }
    project_psd(entries, batch.width);
    at = 0;
    for (int column = 0; column < batch.width; ++column) {
      for (int row = 0; row <= column; ++row, ++at) {
        const double* entry = entries + static_cast<std::size_t>(row * batch.width + column) * PSD_LANES;
        for (std::size_t lane = 0; lane < PSD_LANES; ++lane) to[lane][at] = entry[lane];
      }
    }
  }
}

void SparseIteration::fit_data(std::span<const std::int32_t> places) {
  for (const std::int32_t place : places) fit_data(place);
}

void SparseIteration::fit_data(std::int32_t place) {
  const Blocks& blocks = problem_.blocks;
  const auto local = static_cast<std::size_t>(place - blocks.begin());
  const auto first = static_cast<std::size_t>(blocks.first_slot(place));
  const auto count = static_cast<std::size_t>(blocks.end_slot(place)) - first;
  for (std::size_t i = 0; i < count; ++i) {
    mixed_[i] = problem_.mixing.row(static_cast<std::int32_t>(first + i), x_.data());
    y_[first + i] = u_[first + i] + mixed_[i];
  }
  const DataTerm& term = problem_.term(place);
  const std::span<const std::int32_t> slots = std::span(data_slots_)
                                                  .subspan(static_cast<std::size_t>(first_data_slots_[local]),
                                                           static_cast<std::size_t>(term.variables()));
  const std::span<double> xi = std::span(xi_).first(slots.size());
  for (std::size_t i = 0; i < slots.size(); ++i) xi[i] = y_[static_cast<std::size_t>(slots[i])];
  take_prox_step(local, xi);
  for (std::size_t i = 0; i < slots.size(); ++i) y_[static_cast<std::size_t>(slots[i])] = xi[i];
  std::size_t at = first;
  for (int column = 0; column < blocks.dimension(); ++column) {
    for (int row = 0; row <= column; ++row) y_[at++] = row == column ? 1.0 : 0.0;
  }
  const auto block = static_cast<std::size_t>(blocks.block_slots(place));
  double change = 0, size = 0;
  for (std::size_t i = 0; i < count; ++i) {
    const double value = y_[first + i];
    const double moved = 2 * value - mixed_[i];
    u_[first + i] -= options_.gamma * moved;
    const double multiplicity = i < block ? multiplicities_[i] : 2;
    change += multiplicity * (moved * moved);
    size += multiplicity * (value * value);
  }
  measures_[local] = {term.value(xi), change, size};
}

void SparseIteration::take_prox_step(std::size_t own, std::span<double> xi) {
  if (options_.prox == ProxKind::INEXACT) {
    inexact_[own].step(xi, options_.alpha);
    return;
  }
  const DataTerm& term = problem_.terms[own];
  term.prox_exactly(xi, options_.alpha,
                    std::span(duals_).subspan(static_cast<std::size_t>(first_duals_[own]),
                                              static_cast<std::size_t>(term.rows())));
}

void SparseIteration::move_v(std::span<const std::int32_t> places) {
  const Blocks& blocks = problem_.blocks;
  for (const std::int32_t place : places) {
    const std::int32_t first = blocks.first_slot(place), block = blocks.block_slots(place);
    double change = 0, size = 0;
    for (std::int32_t slot = first; slot < blocks.end_slot(place); ++slot) {
      const double value = x_[static_cast<std::size_t>(slot)];
      const double moved = 2 * value - problem_.mixing.row(slot, y_.data());
      v_[static_cast<std::size_t>(slot)] -= options_.gamma * moved;
      const double multiplicity =
          slot - first < block ? multiplicities_[static_cast<std::size_t>(slot - first)] : 2;
      change += multiplicity * (moved * moved);
      size += multiplicity * (value * value);
    }
    auto& measure = measures_[static_cast<std::size_t>(place - blocks.begin())];
    measure[Measure::CHANGE] += change;
    measure[Measure::SIZE] += size;
  }
}

double SparseIteration::mean(std::int32_t slot) const {
  double sum = 0;
  const auto copies = problem_.mixing.copies_of(slot);
  for (const std::int32_t copy : copies) {
    sum += x_[static_cast<std::size_t>(copy)] + y_[static_cast<std::size_t>(copy)];
  }
  return sum / (2 * static_cast<double>(copies.size()));
}

}  // namespace lockstep::splitting
