package dev.lockstep.train.memory;

import java.util.Optional;

/**
 * The live memory of a model's tensors on this rank.
 *
 * @param distribution where the others are; empty if this rank has something of each tensor
 * @param slices which part of each tensor the memory holds; empty if that is all of it
 */
public record ModelMemory(
    FlatBuffers tensors, Optional<Distribution> distribution, Optional<SlicedLayout> slices) {
  /** Of whole tensors. */
  public ModelMemory(FlatBuffers tensors, Optional<Distribution> distribution) {
    this(tensors, distribution, Optional.empty());
  }

  /** Of all of a model's tensors. */
  public static ModelMemory whole(FlatBuffers tensors) {
    return new ModelMemory(tensors, Optional.empty());
  }

  /** Of this rank's part of each tensor. */
  public static ModelMemory sliced(FlatBuffers tensors, SlicedLayout slices) {
    return new ModelMemory(tensors, Optional.empty(), Optional.of(slices));
  }
}
