package dev.lockstep.train.strategy.pipeline;

import dev.lockstep.ConfigKeyException;
import dev.lockstep.model.Model;
import dev.lockstep.model.TensorUse;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.BitSet;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * A model in parts, each of some stages that follow each other. A tensor that several stages use
 * keeps them in one part: its gradient would otherwise be made on several ranks.
 */
final class ModelCut {
  private final List<String> names;
  private final List<TensorUse> uses;

  /** The first stage of each part, and the number of stages at the end. */
  private final int[] begins;

  private ModelCut(Cuttable model, int[] begins) {
    names = model.names;
    uses = model.uses;
    this.begins = begins;
  }

  /** Where a model may be cut. */
  static final class Cuttable {
    private final List<String> names;
    private final List<TensorUse> uses;

    /** By stage, whether the model may be cut before it. */
    private final boolean[] allowed;

    private final boolean[] trains;

    Cuttable(Model model) {
      names = model.stageNames();
      uses = model.stages().stream().map(stage -> TensorUse.of(model, stage)).toList();
      allowed = new boolean[names.size()];
      trains = new boolean[names.size()];
      for (int stage = 0; stage < names.size(); stage++) {
        allowed[stage] = stage > 0 && tensorAcross(model, stage) == null;
        trains[stage] = !uses.get(stage).parameters().isEmpty();
      }
    }

    /** The name of a tensor that is used on both sides of a cut; null if there is none. */
    private @Nullable String tensorAcross(Model model, int stage) {
      BitSet parameters = new BitSet();
      BitSet buffers = new BitSet();
      BitSet parametersBehind = new BitSet();
      BitSet buffersBehind = new BitSet();
      for (int i = 0; i < names.size(); i++) {
        (i < stage ? parameters : parametersBehind).or(uses.get(i).parameters());
        (i < stage ? buffers : buffersBehind).or(uses.get(i).buffers());
      }
      parameters.and(parametersBehind);
      buffers.and(buffersBehind);
      if (!parameters.isEmpty()) {
        return model.parameters().get(parameters.nextSetBit(0)).name();
      }
      return buffers.isEmpty() ? null : model.buffers().get(buffers.nextSetBit(0)).name();
    }

    /** Into how many parts at most, each of which has something to train. */
    int mostParts() {
      int parts = 0;
      boolean trained = false;
      for (int stage = 0; stage < names.size(); stage++) {
        if (trained && allowed[stage] && trains(stage, trains.length)) {
          parts++;
          trained = false;
        }
        trained |= trains[stage];
      }
      return parts + 1;
    }

    private boolean trains(int from, int to) {
      for (int i = from; i < to; i++) {
        if (trains[i]) {
          return true;
        }
      }
      return false;
    }

    /**
     * Cuts where the parts' names say.
     *
     * @param first the stage, or the module of stages, with which each part begins
     * @throws ConfigKeyException if the model cannot be cut so
     */
    ModelCut at(Model model, List<String> first) {
      int[] begins = new int[first.size() + 1];
      begins[first.size()] = names.size();
      for (int part = 0; part < first.size(); part++) {
        begins[part] = indexOf(first.get(part));
        if (part == 0 ? begins[0] != 0 : begins[part] <= begins[part - 1]) {
          throw refused(
              "must name layers in the model's order, beginning with "
                  + names.get(0)
                  + ", not "
                  + first);
        }
        if (part > 0 && !allowed[begins[part]]) {
          throw refused(
              "cannot begin a part with "
                  + first.get(part)
                  + ", because layers before it and from it on use the same tensor, "
                  + tensorAcross(model, begins[part]));
        }
      }
      for (int part = 0; part < first.size(); part++) {
        if (!trains(begins[part], begins[part + 1])) {
          throw refused("gives the part of " + first.get(part) + " nothing to train");
        }
      }
      return new ModelCut(this, begins);
    }

    private int indexOf(String name) {
      for (int i = 0; i < names.size(); i++) {
        if (names.get(i).equals(name) || names.get(i).startsWith(name + ".")) {
          return i;
        }
      }
      throw refused("names " + name + ", but the model has the layers " + names);
    }

    private static ConfigKeyException refused(String why) {
      return new ConfigKeyException("strategy.pipeline.stages", why + ".");
    }

    /**
     * Cuts so that the slowest part is as fast as can be.
     *
     * @param costs of each stage
     * @param parts at most {@link #mostParts}
     */
    ModelCut balanced(double[] costs, int parts) {
      int stages = names.size();
      // slowest[p][s]: of the first s stages in p parts.
      double[][] slowest = new double[parts + 1][stages + 1];
      int[][] from = new int[parts + 1][stages + 1];
      for (double[] row : slowest) {
        Arrays.fill(row, Double.POSITIVE_INFINITY);
      }
      slowest[0][0] = 0;
      for (int part = 1; part <= parts; part++) {
        for (int end = 1; end <= stages; end++) {
          double cost = 0;
          for (int begin = end - 1; begin >= 0; begin--) {
            cost += costs[begin];
            if ((begin > 0 && !allowed[begin]) || !trains(begin, end)) {
              continue;
            }
            double worst = Math.max(cost, slowest[part - 1][begin]);
            if (worst < slowest[part][end]) {
              slowest[part][end] = worst;
              from[part][end] = begin;
            }
          }
        }
      }
      if (slowest[parts][stages] == Double.POSITIVE_INFINITY) {
        throw new IllegalArgumentException("a model of " + names + " has no " + parts + " parts");
      }
      int[] begins = new int[parts + 1];
      begins[parts] = stages;
      for (int part = parts; part > 0; part--) {
        begins[part - 1] = from[part][begins[part]];
      }
      return new ModelCut(this, begins);
    }
  }

  int parts() {
    return begins.length - 1;
  }

  /** The first stage of a part. */
  int begin(int part) {
    return begins[part];
  }

  /** The stage behind the last of a part. */
  int end(int part) {
    return begins[part + 1];
  }

  /** By parameter, the part that uses it; the first for those that none uses. */
  List<Integer> partsOfParameters(int count) {
    return partsOf(count, uses.stream().map(TensorUse::parameters).toList());
  }

  /** By buffer, the part that uses it; the first for those that none uses. */
  List<Integer> partsOfBuffers(int count) {
    return partsOf(count, uses.stream().map(TensorUse::buffers).toList());
  }

  private List<Integer> partsOf(int count, List<BitSet> used) {
    List<Integer> parts = new ArrayList<>();
    for (int tensor = 0; tensor < count; tensor++) {
      int found = 0;
      for (int part = 0; part < parts(); part++) {
        for (int stage = begin(part); stage < end(part); stage++) {
          found = used.get(stage).get(tensor) ? part : found;
        }
      }
      parts.add(found);
    }
    return parts;
  }

  /** What a part consists of, for messages, as in {@code part 1 of 3 (layer1 … layer2)}. */
  String describe(int part) {
    String first = names.get(begin(part));
    String last = names.get(end(part) - 1);
    return "part "
        + part
        + " of "
        + parts()
        + " ("
        + (first.equals(last) ? first : first + " … " + last)
        + ")";
  }
}
