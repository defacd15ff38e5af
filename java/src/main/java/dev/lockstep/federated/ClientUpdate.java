package dev.lockstep.federated;

/**
 * What a client's round gave.
 *
 * @param samples that it has
 * @param steps that it took
 * @param loss mean over the samples of its steps
 * @param change of the model, all elements
 * @param finite whether loss and change are, and no element is beyond {@link FixedPointSum#LARGEST}
 */
@SuppressWarnings("ArrayRecordComponent") // handed on, not shared
record ClientUpdate(int samples, int steps, double loss, double[] change, boolean finite) {}
