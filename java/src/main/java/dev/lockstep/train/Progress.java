package dev.lockstep.train;

import com.fasterxml.jackson.annotation.JsonInclude;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.PropertyNamingStrategies;
import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.lockstep.data.DistributedSampler;
import dev.lockstep.data.Normalizer;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * What a checkpoint says besides its tensors: all of a run's state that is not numbers of the model
 * or the optimiser, and what the run was told. It has no times and no host names in it, so that
 * equal runs write equal bytes.
 *
 * @param sampler where the order of samples stands
 * @param samples training samples that the order is over
 * @param optimizer steps taken
 * @param schedule the learning rate of the next step, for readers; it follows from the step
 * @param random what random numbers within the model follow from
 * @param normalizer of features and targets
 * @param lossSums by rank, the sum of losses in the epoch that is under way
 * @param bestLoss the lowest validation loss so far; null before the first
 * @param epochsWithoutImprovement epochs since
 * @param configuration what the run was told
 */
record Progress(
    DistributedSampler.Position sampler,
    long samples,
    OptimizerSteps optimizer,
    NextRate schedule,
    RandomState random,
    Normalizers normalizer,
    List<Double> lossSums,
    @JsonInclude(JsonInclude.Include.ALWAYS) @Nullable Double bestLoss,
    int epochsWithoutImprovement,
    TrainingPlan configuration) {

  private static final ObjectMapper JSON =
      new ObjectMapper().setPropertyNamingStrategy(PropertyNamingStrategies.SNAKE_CASE);

  /** The optimiser's state that is no tensor. */
  record OptimizerSteps(long steps) {}

  /** The schedule's state. */
  record NextRate(double learningRate) {}

  /** Random numbers in step n of rank r are those of a generator seeded by (seed, n, r). */
  record RandomState(long seed, long step) {}

  /** What {@link Normalizer.Pair} consists of. */
  record Normalizers(Normalizer.Statistics features, Normalizer.Statistics targets) {
    static Normalizers of(Normalizer.Pair pair) {
      return new Normalizers(pair.features().statistics(), pair.targets().statistics());
    }

    Normalizer.Pair pair() {
      return new Normalizer.Pair(new Normalizer(features), new Normalizer(targets));
    }
  }

  Progress {
    lossSums = List.copyOf(lossSums);
  }

  ObjectNode toJson() {
    return JSON.valueToTree(this);
  }

  /**
   * Reads what {@link #toJson} wrote.
   *
   * @throws IllegalArgumentException if it is something else
   */
  static Progress fromJson(ObjectNode json) {
    return JSON.convertValue(json, Progress.class);
  }

  /** The sum that a rank goes on with; with another number of ranks, rank 0 takes all. */
  double lossSum(int rank, int worldSize) {
    if (lossSums.size() == worldSize) {
      return lossSums.get(rank);
    }
    return rank == 0 ? lossSums.stream().mapToDouble(Double::doubleValue).sum() : 0;
  }
}
