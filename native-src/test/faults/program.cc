#include "program.h"

#include <algorithm>
#include <array>
#include <cstring>
#include <string>

#include "channel/channels.h"
#include "collective/choice/select.h"
#include "collective/shared_memory/run_direct.h"
#include "core/data_type.h"
#include "lockstep/error.h"

namespace lockstep::test {
namespace {

// Behind every buffer, so that who writes too far is found out; in front of an output, so is who writes
// nothing.
constexpr std::size_t GUARD_BYTES = 64;
constexpr std::byte UNTOUCHED{0xA5};

std::vector<Algorithm> algorithms_for(const std::string& backend, Operation operation) {
  const bool has_direct = backend == "shared-memory" && has_direct_form(operation);
  const auto flat = has_direct ? algorithms_with_shared_memory(operation) : algorithms_of(operation);
  std::vector<Algorithm> all(flat.begin(), flat.end());
  const bool by_hosts = operation == Operation::ALL_REDUCE || operation == Operation::REDUCE ||
                        operation == Operation::BROADCAST || operation == Operation::BARRIER;
  if (by_hosts && backend.ends_with("+shared-memory")) all.push_back(Algorithm::HIERARCHICAL);
  return all;
}

bool can_be_in_place(const Call& call, int rank) {
  return call.operation == Operation::ALL_REDUCE ||
         ((call.operation == Operation::REDUCE || call.operation == Operation::BROADCAST) &&
          call.root_or_peer == rank);
}

}  // namespace

Program::Program(Communicator& group, Progress& progress, unsigned seed, std::size_t longest)
    : group_(group),
      progress_(progress),
      longest_(longest),
      common_(seed),
      own_(seed * 31 + static_cast<unsigned>(group.rank())) {}

void Program::run_round() {
  switch (common_() % 12) {
    case 0:
      return pass_around();
    case 1:
      return split();
    default:
      return run_collective();
  }
}

void Program::enter(Operation operation) {
  operation_ = operation;
  progress_.enter(++round_, operation);
}

bool Program::is_over() {
  std::int32_t over = progress_.is_asked_to_end() ? 1 : 0;
  const Call call{.operation = Operation::ALL_REDUCE,
                  .type = DataType::I32,
                  .op = ReduceOp::MAX,
                  .input = &over,
                  .output = &over,
                  .count = 1};
  enter(Operation::ALL_REDUCE);
  run(group_, call);
  leave();
  return over != 0;
}

std::size_t Program::draw_length() {
  constexpr std::size_t SHORTEST[] = {0, 1, 3};
  switch (common_() % 8) {
    case 0:
      return pick(common_, SHORTEST);
    case 1:
    case 2:
      return common_() % longest_;
    case 3:
    case 4:
      return common_() % (longest_ / 8);
    default:
      return common_() % 300;
  }
}

void Program::draw_algorithm(Operation operation) {
  if (common_() % 2 == 0) return;
  const std::vector<Algorithm> all = algorithms_for(group_.backend_name(), operation);
  const std::size_t which = common_() % (all.size() + 1);
  group_.use_algorithm(operation, which < all.size() ? std::optional(all[which]) : std::nullopt);
}

Program::Buffer Program::make_buffer(Communicator& group, Memory& registered, const Bytes& content) {
  Buffer buffer;
  const std::size_t bytes = content.size() + GUARD_BYTES;
  if (own_() % 2 == 0) {
    if (registered.bytes < bytes || own_() % 4 == 0) registered = {group.allocate(bytes), bytes};
    buffer.address = registered.address.get();
  } else {
    buffer.plain.resize(bytes);
    buffer.address = buffer.plain.data();
  }
  std::copy(content.begin(), content.end(), buffer.address);
  std::fill_n(buffer.address + content.size(), GUARD_BYTES, UNTOUCHED);
  return buffer;
}

void Program::run_step(Communicator& group, Step& step) {
  Call& call = step.call;
  const bool in_place = can_be_in_place(call, group.rank()) && own_() % 2 == 0;
  const Bytes untouched(step.expected.size(), UNTOUCHED);
  Buffer output = make_buffer(group, output_, in_place ? step.input : untouched);
  Buffer input;
  if (!in_place) input = make_buffer(group, input_, step.input);
  call.output = output.address;
  call.input = in_place ? output.address : input.address;
  if (call.counts != nullptr) call.counts = &step.counts;
  execute(group, call.raw());
  check(step, in_place ? output : input, output);
}

void Program::execute(Communicator& group, const RawRequest& raw) {
  if (own_() % 3 == 0) {
    group.start(raw)->wait();
  } else {
    group.run(raw);
  }
}

void Program::exchange(Communicator& group, const Call& send, const Call& receive) {
  const std::array<Transfer, 2> transfers{group.transfer_of(send.raw()), group.transfer_of(receive.raw())};
  const Channels::Seconds limit(group.timeout_seconds());
  bool in_time = true;
  if (own_() % 2 == 0) {
    in_time = group.channels().exchange(transfers, limit);
  } else {
    std::array<std::shared_ptr<Message>, 2> messages;
    for (std::size_t i = 0; i < messages.size(); ++i) messages[i] = group.channels().post(transfers[1 - i]);
    for (const auto& message : messages) in_time = in_time && group.channels().wait(*message, limit);
    for (const auto& message : messages) group.channels().abandon(*message);
  }
  if (!in_time) {
    throw Error(
        ErrorCode::TIMEOUT,
        "An exchange of messages with rank " + std::to_string(receive.root_or_peer) + " ran out of time.",
        receive.root_or_peer);
  }
}

void Program::check(const Step& step, const Buffer& input, const Buffer& output) const {
  const auto refuse = [&](const std::string& what) {
    throw WrongResult("round " + std::to_string(round_) + ", " + name_of(step.call.operation) + " of " +
                      std::to_string(step.call.count) + " " + name_of(step.call.type) + " by " +
                      name_of(step.call.op) + ": " + what);
  };
  const auto is_untouched = [](const std::byte* guard) {
    return std::all_of(guard, guard + GUARD_BYTES, [](std::byte byte) { return byte == UNTOUCHED; });
  };
  const auto difference = std::mismatch(step.expected.begin(), step.expected.end(), output.address);
  if (difference.first != step.expected.end()) {
    refuse("byte " + std::to_string(difference.first - step.expected.begin()) + " of " +
           std::to_string(step.expected.size()) + " is wrong");
  }
  if (!is_untouched(output.address + step.expected.size())) refuse("something was written behind the output");
  if (input.address == output.address) return;
  if (!std::equal(step.input.begin(), step.input.end(), input.address)) refuse("the input was changed");
  if (!is_untouched(input.address + step.input.size())) refuse("something was written behind the input");
}

void Program::run_collective() {
  const Operation operation = pick(common_, COLLECTIVES);
  draw_algorithm(operation);
  Step step = draw_step(common_, operation, draw_length(), group_.rank(), group_.size());
  enter(operation);
  run_step(group_, step);
  leave();
}

void Program::pass_around() {
  const int ranks = group_.size();
  const int before = (group_.rank() + ranks - 1) % ranks;
  const std::size_t length = draw_length();
  const int tag = static_cast<int>(common_() % 100);
  Step step;
  step.call = {.operation = Operation::RECEIVE, .root_or_peer = before, .tag = tag, .count = length};
  step.expected = plain(before, round_, length, DataType::U8);
  step.input = plain(group_.rank(), round_, length, DataType::U8);
  const Buffer input = make_buffer(group_, input_, step.input);
  const Buffer output = make_buffer(group_, output_, Bytes(length, UNTOUCHED));
  Call send = step.call;
  send.operation = Operation::SEND;
  send.root_or_peer = (group_.rank() + 1) % ranks;
  send.input = input.address;
  step.call.output = output.address;
  enter(Operation::SEND);
  exchange(group_, send, step.call);
  check(step, input, output);
  leave();
}

void Program::split() {
  const int ways = 1 + static_cast<int>(common_() % 2);
  std::mt19937 random(static_cast<unsigned>(common_()));
  const Operation operation = pick(random, COLLECTIVES);
  const std::size_t length = draw_length();
  enter(Operation::SPLIT);
  const std::shared_ptr<Communicator> child = group_.split(group_.rank() % ways, 0);
  Step step = draw_step(random, operation, length, child->rank(), child->size());
  try {
    Memory input, output;
    std::swap(input_, input);  // registered in the child, if anywhere
    std::swap(output_, output);
    run_step(*child, step);
    input_ = input;
    output_ = output;
  } catch (const Error& error) {
    group_.close();  // The child's failure is the parent's end: nobody goes on without this rank.
    if (error.rank() == Error::NO_RANK) throw;
    throw Error(error.code(), error.what(), error.rank() * ways + group_.rank() % ways);
  }
  leave();
}

}  // namespace lockstep::test
