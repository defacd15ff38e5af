/**
 * Training: the trainer's loop, the strategies that ranks work together by, optimisers, schedules
 * and losses on flat buffers.
 */
@NullMarked
package dev.lockstep.train;

import org.jspecify.annotations.NullMarked;
