#pragma once

#include <gtest/gtest.h>

#include <functional>
#include <memory>
#include <string>

#include "collective/choice/tuning.h"
#include "collective/communicator/communicator.h"
#include "transport/in_process/in_process_transport.h"
#include "transport/shared_memory/shared_memory_transport.h"

namespace lockstep::test {

/// Deadline of operations that are meant to succeed; a rank that outlives it fails its test by a TIMEOUT
/// error.
constexpr double PATIENCE = 30;

/// Runs body(rank) on one thread for each rank. An exception fails the test. Ranks that have not ended after
/// `hard_deadline` seconds end the whole program, because a thread cannot be ended from outside.
void run_as_ranks(int ranks, const std::function<void(int)>& body, double hard_deadline = 60);

/// Staging and channels so small that short vectors need several pieces.
constexpr SharedMemoryOptions SMALL_PIECES{.staging_bytes = 4096, .channel_bytes = 4096};

/// Whether the groups of this run share memory (LOCKSTEP_TEST_TRANSPORT=shared-memory) instead of passing
/// messages in process: ctest runs the tests of groups both ways.
bool tests_shared_memory();

/// Collective: lets the ranks (threads) of `transport` share memory.
std::unique_ptr<SharedMemoryTransport> share_memory_of(Transport& transport,
                                                       const SharedMemoryOptions& options);

/// A transport of a group with a name of its own; `group` tells apart the groups of one test.
std::unique_ptr<Transport> join(const std::string& group, int rank, int ranks);

/// The same, whatever LOCKSTEP_TEST_TRANSPORT says.
std::unique_ptr<Transport> join_in_process_only(const std::string& group, int rank, int ranks);

/// Runs body(communicator) on one thread for each rank of a fresh group.
void run_with_communicators(int ranks, const Tuning& tuning, double timeout,
                            const std::function<void(Communicator&)>& body);

/// All-reduces by this algorithm only, in segments of this length.
Tuning tuning_for(Algorithm algorithm, std::size_t segment_bytes);

/// What a call threw. Fails the test where it threw nothing.
Error error_of(const std::function<void()>& call);

}  // namespace lockstep::test
