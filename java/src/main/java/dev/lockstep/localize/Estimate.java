package dev.lockstep.localize;

import dev.lockstep.localize.fit.Ambiguity;
import dev.lockstep.localize.fit.DeviceOffsets;
import dev.lockstep.localize.network.Network;
import java.util.List;
import java.util.Optional;

/**
 * What {@link Estimator} comes to.
 *
 * @param network whose distances were fitted: all of them, without the devices' offsets
 * @param refined positions, and how the refinement went
 * @param covariances f64[sensors × dimension × dimension]; NaN where not determined
 * @param ambiguous sensors that could be elsewhere
 * @param undetermined sensors without a covariance
 * @param leftOut how many distances were left out as outliers
 * @param offsets of devices, where they are estimated
 */
@SuppressWarnings("ArrayRecordComponent") // Read at once, never compared.
record Estimate(
    Network network,
    NativeLocalizer.Refined refined,
    double[] covariances,
    List<Ambiguity> ambiguous,
    List<Integer> undetermined,
    int leftOut,
    Optional<DeviceOffsets> offsets) {}
