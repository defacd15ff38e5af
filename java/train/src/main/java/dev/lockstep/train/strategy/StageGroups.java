package dev.lockstep.train.strategy;

import dev.lockstep.model.Model;
import dev.lockstep.model.Stage;
import dev.lockstep.model.TensorUse;
import dev.lockstep.train.memory.FlatLayout;
import dev.lockstep.train.memory.FlatLayout.Slot;
import java.util.ArrayList;
import java.util.BitSet;
import java.util.Comparator;
import java.util.List;

/**
 * Which neighbouring stages of a model have their parameters at the same time, and the buckets into
 * which these are cut. The parameters of a bucket are used by the same groups.
 *
 * @param cuts the first stage of each group but the first
 * @param buckets of all parameters, in the order in which a backward pass completes their gradients
 * @param uses for each group, the indices of the buckets whose parameters its stages use
 */
record StageGroups(List<Integer> cuts, List<Bucket> buckets, List<BitSet> uses) {
  /**
   * Groups a model's stages, alike on all ranks.
   *
   * @param layout of its parameters
   * @param bytes of parameters with which a group is full, and a bucket
   */
  static StageGroups of(Model model, FlatLayout layout, long bytes) {
    List<BitSet> parameters = parametersOfStages(model);
    List<Integer> cuts = cuts(parameters, layout, bytes);
    // For each parameter, the groups that use it.
    List<BitSet> users = new ArrayList<>();
    layout.slots().forEach(slot -> users.add(new BitSet()));
    int group = 0;
    for (int stage = 0; stage < parameters.size(); stage++) {
      group += cuts.contains(stage) ? 1 : 0;
      for (int used : parameters.get(stage).stream().toArray()) {
        users.get(used).set(group);
      }
    }
    List<Bucket> buckets = new ArrayList<>(Bucket.plan(layout, bytes, bytes, users::get));
    // A parameter that several groups use, or none, is complete after the first one's backward.
    buckets.sort(
        Comparator.comparingInt(
            bucket -> -Math.max(0, users.get(bucket.parameters().get(0)).nextSetBit(0))));
    List<BitSet> uses = new ArrayList<>();
    for (int g = 0; g <= cuts.size(); g++) {
      BitSet used = new BitSet();
      for (int b = 0; b < buckets.size(); b++) {
        used.set(b, users.get(buckets.get(b).parameters().get(0)).get(g));
      }
      uses.add(used);
    }
    return new StageGroups(cuts, List.copyOf(buckets), uses);
  }

  /** For each stage of a model, the indices of the buckets whose parameters it uses. */
  static List<BitSet> bucketsOfStages(Model model, List<Bucket> buckets, FlatLayout layout) {
    int[] bucketOf = Bucket.bucketOfParameter(buckets, layout);
    List<BitSet> all = new ArrayList<>();
    for (BitSet parameters : parametersOfStages(model)) {
      BitSet used = new BitSet();
      parameters.stream().forEach(parameter -> used.set(bucketOf[parameter]));
      all.add(used);
    }
    return all;
  }

  private static List<BitSet> parametersOfStages(Model model) {
    List<BitSet> all = new ArrayList<>();
    for (Stage stage : model.stages()) {
      all.add(TensorUse.of(model, stage).parameters());
    }
    return all;
  }

  /** Before a stage with parameters of its own, once those before it fill a group. */
  private static List<Integer> cuts(List<BitSet> parameters, FlatLayout layout, long bytes) {
    List<Integer> cuts = new ArrayList<>();
    BitSet ofGroup = new BitSet();
    for (int stage = 0; stage < parameters.size(); stage++) {
      BitSet own = parameters.get(stage);
      if (!own.isEmpty() && bytes(ofGroup, layout) >= bytes) {
        cuts.add(stage);
        ofGroup = new BitSet();
      }
      ofGroup.or(own);
    }
    return cuts;
  }

  private static long bytes(BitSet parameters, FlatLayout layout) {
    return parameters.stream()
        .mapToLong(
            index -> {
              Slot slot = layout.slots().get(index);
              return slot.count() * layout.groups().get(slot.group()).elementBytes();
            })
        .sum();
  }

  /** How many groups there are. */
  int count() {
    return uses.size();
  }

  /** Whether several groups use one parameter. */
  boolean shareParameters() {
    return buckets.stream()
        .anyMatch(
            bucket -> uses.stream().filter(used -> used.get(buckets.indexOf(bucket))).count() > 1);
  }

  /** The group of a stage. */
  int groupOf(int stage) {
    return (int) cuts.stream().filter(cut -> cut <= stage).count();
  }

  /** How many buckets, the first ones, are complete when backward has left a group. */
  int completeAfter(int group) {
    int complete = buckets.size();
    while (complete > 0 && isUsedBefore(complete - 1, group)) {
      complete--;
    }
    return complete;
  }

  /** Whether a bucket's gradients are complete only after an earlier group's backward pass. */
  private boolean isUsedBefore(int bucket, int group) {
    int first = 0;
    while (first < group && !uses.get(first).get(bucket)) {
      first++;
    }
    boolean unused = uses.stream().noneMatch(used -> used.get(bucket));
    return group > 0 && (first < group || unused);
  }

  /** The most bytes that two neighbouring groups have together, or one has where there is one. */
  long neighboursBytes(FlatLayout layout) {
    long most = 0;
    for (int g = 0; g < count(); g++) {
      BitSet both = (BitSet) uses.get(g).clone();
      if (g + 1 < count()) {
        both.or(uses.get(g + 1));
      }
      most = Math.max(most, both.stream().mapToLong(b -> bytes(b, layout)).sum());
    }
    return most;
  }

  /** Bytes of a bucket's parameters. */
  long bytes(int bucket, FlatLayout layout) {
    Bucket of = buckets.get(bucket);
    return of.range().count() * layout.groups().get(of.group()).elementBytes();
  }
}
