package dev.lockstep.monitor;

/** A point of the loss curves; NaN where there is none. */
record LossPoint(int epoch, double train, double validation) {}
