/**
 * What a run shows and leaves behind: progress on the console, the run folder, plots, TensorBoard
 * events.
 *
 * <p>Only rank 0 records. The trainer tells a {@link dev.lockstep.monitor.TrainingListener} what
 * happened; plain values go in and files and lines come out. Nothing flows back into training.
 */
@NullMarked
package dev.lockstep.monitor;

import org.jspecify.annotations.NullMarked;
