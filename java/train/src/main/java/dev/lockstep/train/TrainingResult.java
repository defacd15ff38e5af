package dev.lockstep.train;

import dev.lockstep.monitor.RunSummary;
import java.util.Optional;

/**
 * How a training run ended; the same on every rank.
 *
 * @param stopped true if it was asked to stop before its last epoch; the checkpoint of {@code step}
 *     is where {@code --resume} goes on
 * @param epoch epochs completed since the run began
 * @param step optimiser steps taken since the run began
 * @param summary the results; empty if stopped
 */
public record TrainingResult(boolean stopped, int epoch, long step, Optional<RunSummary> summary) {}
