package dev.lockstep.train;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.PropertyNamingStrategies;
import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.lockstep.data.DistributedSampler;
import dev.lockstep.data.Normalizer;
import java.util.ArrayList;
import java.util.List;
import java.util.Objects;
import java.util.Optional;
import java.util.Set;
import java.util.TreeSet;
import org.jspecify.annotations.Nullable;

/**
 * What a checkpoint says besides its tensors: all of a run's state that is not numbers of the model
 * or the optimiser, and what the run was told. It has no times and no host names in it, so that
 * equal runs write equal bytes.
 *
 * @param sampler where the order of samples stands
 * @param samples training samples that the order is over
 * @param steps optimiser steps taken
 * @param data what the run was made with
 * @param model what tells the model's structure from others
 * @param normalizer of features and targets
 * @param lossSums of each share of the batches, the sum of losses in the epoch that is under way
 * @param skipped steps that were left out; in older checkpoints there are none
 * @param parts the small values of the run's parts
 * @param configuration what the run was told
 */
record Progress(
    DistributedSampler.Position sampler,
    long samples,
    long steps,
    DataFingerprint data,
    String model,
    Normalizers normalizer,
    List<Double> lossSums,
    @Nullable Skipped skipped,
    ObjectNode parts,
    TrainingPlan configuration) {

  private static final ObjectMapper JSON =
      new ObjectMapper().setPropertyNamingStrategy(PropertyNamingStrategies.SNAKE_CASE);

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
    skipped = skipped == null ? Skipped.NONE : skipped;
    if (sampler.step() > 0 && sampler.samples() == 0) {
      // Written when all batches of an epoch were equal.
      long taken = (long) sampler.step() * configuration.training().batchSize();
      sampler =
          new DistributedSampler.Position(
              sampler.epoch(), sampler.step(), Math.min(taken, samples));
    }
  }

  @Override
  public Skipped skipped() {
    return Objects.requireNonNull(skipped);
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

  /** The sum that a share goes on with; with another number of shares, the first takes all. */
  double lossSum(int share, int shares) {
    if (lossSums.size() == shares) {
      return lossSums.get(share);
    }
    return share == 0 ? lossSums.stream().mapToDouble(Double::doubleValue).sum() : 0;
  }

  /**
   * What keeps a run from going on from here.
   *
   * @param plan what the run is told now
   */
  Optional<String> reasonToRefuse(TrainingPlan plan, DataFingerprint now, String modelNow) {
    if (configuration.seed() != plan.seed()) {
      return madeWith("seed", configuration.seed(), plan.seed());
    }
    Optional<String> otherData = data.differenceTo(now);
    if (otherData.isPresent()) {
      return otherData;
    }
    TrainingConfig then = configuration.training();
    TrainingConfig told = plan.training();
    if (then.batchSize() != told.batchSize()) {
      return madeWith("training.batch_size", then.batchSize(), told.batchSize());
    }
    if (then.batch().adaptive() != told.batch().adaptive()) {
      return madeWith("training.batch.adaptive", then.batch().adaptive(), told.batch().adaptive());
    }
    if (then.balance() != told.balance()) {
      return madeWith("training.balance", then.balance(), told.balance());
    }
    if (!then.loss().equals(told.loss())) {
      return madeWith("training.loss", then.loss(), told.loss());
    }
    if (then.loss().type() == TrainingConfig.LossType.HUBER
        && then.huberDelta() != told.huberDelta()) {
      return madeWith("training.huber_delta", then.huberDelta(), told.huberDelta());
    }
    if (!Objects.equals(then.ema(), told.ema())) {
      return madeWith(
          "training.ema",
          Optional.ofNullable(then.ema()).map(Object::toString).orElse("none"),
          Optional.ofNullable(told.ema()).map(Object::toString).orElse("none"));
    }
    if (then.precision().type() != told.precision().type()) {
      return madeWith(
          "training.precision", then.precision().typeName(), told.precision().typeName());
    }
    if (configuration.optimizer().type() != plan.optimizer().type()) {
      return madeWith("optimizer.type", configuration.optimizer().type(), plan.optimizer().type());
    }
    return model.equals(modelNow) ? Optional.empty() : madeWith("the model", model, modelNow);
  }

  /** How the strategy differs from that of a plan, key by key; empty if it does not. */
  String otherStrategy(TrainingPlan plan) {
    List<String> differences = new ArrayList<>();
    compare("strategy", configuration.strategy().toJson(), plan.strategy().toJson(), differences);
    return String.join(" and ", differences);
  }

  private static void compare(String key, JsonNode then, JsonNode now, List<String> differences) {
    if (then.isObject() && now.isObject() && then.path("type").equals(now.path("type"))) {
      Set<String> names = new TreeSet<>();
      then.fieldNames().forEachRemaining(names::add);
      now.fieldNames().forEachRemaining(names::add);
      names.forEach(
          name -> compare(key + "." + name, then.path(name), now.path(name), differences));
    } else if (then.isObject() && now.isObject()) {
      compare(key + ".type", then.path("type"), now.path("type"), differences);
    } else if (!then.equals(now)) {
      differences.add(key + " " + then.asText("none") + ", not " + now.asText("none"));
    }
  }

  private static Optional<String> madeWith(String what, Object then, Object now) {
    return Optional.of("it was made with " + what + " " + then + ", not " + now);
  }
}
