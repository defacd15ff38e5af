#pragma once

#include <memory>
#include <string>

#include "collective/backend/backend.h"

namespace lockstep {

/// A group of one: every collective copies its input to its output, or does nothing where they are the same.
class SingleBackend : public Backend {
 public:
  int rank() const override { return 0; }
  int size() const override { return 1; }
  std::string name() const override { return "single"; }
  int execute(const Request& request, const Deadline& deadline) override;
  /// A group of one has nothing to choose, but takes what larger groups take.
  void use_algorithm(Operation, std::optional<Algorithm>) override {}
  std::unique_ptr<Backend> split(int color, int key, const Deadline& deadline) override;
  void abort(const Error&) noexcept override {}
  void close() noexcept override {}
};

}  // namespace lockstep
