/**
 * What the ranks of a group spent in their communicator, put together on rank 0: tables and
 * timelines.
 */
@NullMarked
package dev.lockstep.comm.profile;

import org.jspecify.annotations.NullMarked;
