/**
 * Communicators: groups of ranks, the messages and collectives between them, and how a process
 * finds its group.
 *
 * <p>Start at {@link dev.lockstep.comm.Communicator#fromEnvironment()}.
 */
@NullMarked
package dev.lockstep.comm;

import org.jspecify.annotations.NullMarked;
