/**
 * Data: readers, sampling, partitioning over ranks, and normalisation.
 *
 * <p>{@link dev.lockstep.data.DataFiles} opens a {@link dev.lockstep.data.Dataset} from a {@link
 * dev.lockstep.data.DataConfig}; {@link dev.lockstep.data.Split} holds samples out for validation;
 * {@link dev.lockstep.data.DistributedSampler} says which samples a rank sees at a step; {@link
 * dev.lockstep.data.Normalizer} brings features and targets to zero mean and unit variance.
 */
@NullMarked
package dev.lockstep.data;

import org.jspecify.annotations.NullMarked;
