package dev.lockstep.train.memory;

import java.util.Optional;

/**
 * The live memory of a model's tensors on this rank.
 *
 * @param distribution where the others are; empty if this rank has all
 */
public record ModelMemory(FlatBuffers tensors, Optional<Distribution> distribution) {
  /** Of all of a model's tensors. */
  public static ModelMemory whole(FlatBuffers tensors) {
    return new ModelMemory(tensors, Optional.empty());
  }
}
