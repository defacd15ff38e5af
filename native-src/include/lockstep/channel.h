#pragma once

/// @file
/// Messages between two ranks across the JNI boundary, beside the collectives: any number of them are under
/// way at once, in both directions, from any thread. The rules for handles, addresses and errors are those of
/// lockstep/communicator.h.
///
/// Posting never blocks. A wait that runs out of time is a result, not an error, and leaves the group whole.
/// An error concerns the messages with one peer: MISMATCH (of type or length) the receive alone, PEER_FAILED
/// all messages with that peer.

#include <cstdint>

#include "lockstep/export.h"

namespace lockstep {

/// Posts a SEND or a RECEIVE.
/// @param operation Operation::SEND or Operation::RECEIVE; @param type a DataType
/// @param peer a rank; of a RECEIVE also ANY_RANK
/// @param tag from 0 to 32,767
/// @param address of `count` elements, which stay valid until the message has ended
/// @param exact of a RECEIVE: whether a message shorter than `count` is a MISMATCH
/// @return a message handle, to be given to release_message() once
LOCKSTEP_API std::int64_t post_message(std::int64_t communicator, std::int32_t operation, std::int32_t type,
                                       std::int32_t peer, std::int32_t tag, std::int64_t address,
                                       std::int64_t count, bool exact);

/// Waits until the message has ended. @return false when `seconds` have passed, and it goes on
/// Throws what it ended with.
LOCKSTEP_API bool await_message(std::int64_t message, double seconds);

/// Whether it has ended (well or not). Does not block; moves what can be moved.
LOCKSTEP_API bool message_is_done(std::int64_t message);

/// Takes a message back of which nothing has travelled or come; it then has ended with CLOSED.
/// @return false where it goes on or has ended
LOCKSTEP_API bool cancel_message(std::int64_t message);

/// Of a receive that has ended well: the rank that sent, and how many elements.
LOCKSTEP_API std::int32_t message_source(std::int64_t message);
LOCKSTEP_API std::int64_t message_count(std::int64_t message);

/// Releases the handle of a message that has ended.
LOCKSTEP_API void release_message(std::int64_t message);

/// Posts several messages and waits for all as one operation, in any order of sends and receives.
/// @param rows address of `count` rows of 6 std::int64_t: operation, type, peer, tag, address, elements. Of a
/// RECEIVE, the third becomes the rank that sent
/// @return false when `seconds` have passed: none of the memory is used any more then, receives are taken
/// back, and what has been sent goes on
LOCKSTEP_API bool exchange_messages(std::int64_t communicator, std::int64_t rows, std::int32_t count,
                                    double seconds);

/// The oldest message for (peer or ANY_RANK, tag) that no receive has met. It is not taken.
/// @param seconds to wait for one; 0 to look once
/// @param result address of 3 std::int64_t: the rank that sent, DataType, elements
/// @return whether there is one
LOCKSTEP_API bool probe_message(std::int64_t communicator, std::int32_t peer, std::int32_t tag,
                                double seconds, std::int64_t result);

/// The deadline that set_timeout() changes, in seconds.
LOCKSTEP_API double communicator_timeout(std::int64_t communicator);

/// Makes take_completion() give the handle once the message, or the work of start(), has ended.
LOCKSTEP_API void announce_message(std::int64_t communicator, std::int64_t message);
LOCKSTEP_API void announce_work(std::int64_t communicator, std::int64_t work);

/// @return the handle of an announced message or work that has ended, or 0 when none has within `seconds`
LOCKSTEP_API std::int64_t take_completion(std::int64_t communicator, double seconds);

/// Waits for a started operation. @return false when `seconds` have passed. wait_work() tells how it ended.
LOCKSTEP_API bool await_work(std::int64_t work, double seconds);

}  // namespace lockstep
