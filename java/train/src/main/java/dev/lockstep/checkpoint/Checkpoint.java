package dev.lockstep.checkpoint;

import com.fasterxml.jackson.databind.node.ObjectNode;
import java.util.HashSet;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.NoSuchElementException;
import java.util.Set;

/**
 * The complete state of a training run after a number of optimiser steps.
 *
 * @param step optimiser steps taken since the run began, at least 0; it orders and names
 *     checkpoints
 * @param tensors everything large that exists once: parameters, buffers, optimiser moments; names
 *     are unique
 * @param perRank what each rank has of its own, by name; one tensor a rank, in rank order
 * @param state everything else as one JSON object: schedule, sampler position, normaliser, random
 *     state, configuration. The record keeps its own copy; the order of keys does not matter
 */
public record Checkpoint(
    long step,
    List<StoredTensor> tensors,
    Map<String, List<StoredTensor>> perRank,
    ObjectNode state) {
  /**
   * Checks the step and the names.
   *
   * @throws IllegalArgumentException if the step is negative or two tensors have one name
   */
  public Checkpoint {
    if (step < 0) {
      throw new IllegalArgumentException(
          "A checkpoint's step must be at least 0, not " + step + ".");
    }
    tensors = List.copyOf(tensors);
    Set<String> names = new HashSet<>();
    for (StoredTensor tensor : tensors) {
      if (!names.add(tensor.name())) {
        throw new IllegalArgumentException(
            "The checkpoint has two tensors named '"
                + tensor.name()
                + "'; give each its own name.");
      }
    }
    perRank = Map.copyOf(perRank);
    state = state.deepCopy();
  }

  /** A state of which no rank has anything of its own. */
  public Checkpoint(long step, List<StoredTensor> tensors, ObjectNode state) {
    this(step, tensors, Map.of(), state);
  }

  /**
   * Returns the JSON state.
   *
   * @return a copy, which the caller may change
   */
  @Override
  public ObjectNode state() {
    return state.deepCopy();
  }

  /**
   * Finds a tensor.
   *
   * @param name the tensor's name
   * @return the tensor of that name
   * @throws NoSuchElementException if there is none
   */
  public StoredTensor tensor(String name) {
    return tensors.stream()
        .filter(tensor -> tensor.name().equals(name))
        .findFirst()
        .orElseThrow(
            () ->
                new NoSuchElementException(
                    String.format(
                        Locale.ROOT, "The checkpoint of step %d has no tensor '%s'.", step, name)));
  }
}
