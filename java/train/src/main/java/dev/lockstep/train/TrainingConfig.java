package dev.lockstep.train;

import com.fasterxml.jackson.annotation.JsonCreator;
import com.fasterxml.jackson.annotation.JsonProperty;
import dev.lockstep.ConfigKeyException;
import org.jspecify.annotations.Nullable;

/**
 * The {@code training} section of a configuration.
 *
 * @param epochs passes over the training samples, at least 1
 * @param batchSize samples of one optimiser step on all ranks together, at least 1
 * @param accumulationSteps pieces that a rank cuts its share of a batch into, to need less memory;
 *     the gradient stays that of the whole batch
 * @param clipNorm gradients of a larger 2-norm are scaled down to it; null for no clipping
 * @param loss what is minimised
 * @param huberDelta where {@link LossType#HUBER} goes from square to linear, above 0
 * @param earlyStopping when to end before the last epoch; null for never. With it, the model that
 *     is kept is the one with the lowest validation loss
 * @param validation when held-out samples are scored; also after the last step
 * @param maxSteps optimiser steps after which training is over, however many epochs that is; null
 *     for no limit
 * @param maxSeconds seconds of this process after which training is over; null for no limit
 * @param precision in what forward and backward passes compute
 * @param batch whether and how far batches grow
 * @param balance whether ranks get parts of each batch by their measured speed, instead of equal
 *     ones; the joint batch is the same
 * @param ema how much of the moving average of the parameters stays at each step, in [0, 1), as in
 *     0.999; at step t at most (1 + t) ÷ (10 + t). Validation, test and the saved model take the
 *     average; null for the parameters themselves
 */
public record TrainingConfig(
    int epochs,
    int batchSize,
    int accumulationSteps,
    @Nullable Double clipNorm,
    LossConfig loss,
    double huberDelta,
    @Nullable EarlyStopping earlyStopping,
    Validation validation,
    @Nullable Long maxSteps,
    @Nullable Double maxSeconds,
    PrecisionConfig precision,
    BatchConfig batch,
    boolean balance,
    @Nullable Double ema) {

  /** Losses. */
  public enum LossType {
    /** Mean squared error. */
    @JsonProperty("mse")
    MSE,
    /** Mean absolute error. */
    @JsonProperty("mae")
    MAE,
    /** Huber (1964): squared for small errors, linear for large ones. */
    @JsonProperty("huber")
    HUBER,
    /** Cross-entropy of a softmax; the one target column holds class numbers from 0. */
    @JsonProperty("cross_entropy")
    CROSS_ENTROPY,
    /**
     * The negative logarithm of the normal density; the model gives each target's mean and the
     * logarithm of its variance, and predictions have mean and standard deviation.
     */
    @JsonProperty("gaussian_nll")
    GAUSSIAN_NLL,
    /**
     * The continuous ranked probability score of a normal distribution (Gneiting and Raftery 2007,
     * section 4.2), with the same outputs.
     */
    @JsonProperty("crps")
    CRPS,
    /** The pinball loss (Koenker and Bassett 1978) of several quantiles of each target. */
    @JsonProperty("quantiles")
    QUANTILES,
    /** What a TorchScript file computes. */
    @JsonProperty("file")
    FILE
  }

  /**
   * Ends training when the validation loss no longer falls.
   *
   * @param patience validations without improvement that are borne, at least 1
   * @param minDelta by how much the loss must fall to count as improved, at least 0
   */
  public record EarlyStopping(int patience, double minDelta) {
    /**
     * Checks the ranges.
     *
     * @throws IllegalArgumentException if a value is out of its range; the message names the key
     */
    public EarlyStopping {
      Checks.atLeast("patience", patience, 1);
      Checks.notNegative("min_delta", minDelta);
    }

    /** Builds the section from the keys that a file gives; the others take their defaults. */
    @JsonCreator
    public static EarlyStopping of(
        @JsonProperty("patience") @Nullable Integer patience,
        @JsonProperty("min_delta") @Nullable Double minDelta) {
      return new EarlyStopping(patience == null ? 5 : patience, minDelta == null ? 0 : minDelta);
    }
  }

  /**
   * When held-out samples are scored; each that is not null counts. Without any, after each epoch.
   *
   * @param everyEpochs epochs between validations, at least 1
   * @param everySteps optimiser steps between validations, at least 1
   * @param everySeconds seconds between validations, above 0
   */
  public record Validation(
      @JsonProperty("every_epochs") @Nullable Integer everyEpochs,
      @JsonProperty("every_steps") @Nullable Long everySteps,
      @JsonProperty("every_seconds") @Nullable Double everySeconds) {
    /**
     * Checks the ranges.
     *
     * @throws IllegalArgumentException if a value is out of its range; the message names the key
     */
    public Validation {
      if (everyEpochs != null) {
        Checks.atLeast("every_epochs", everyEpochs, 1);
      }
      if (everySteps != null) {
        Checks.atLeast("every_steps", everySteps, 1);
      }
      if (everySeconds != null) {
        Checks.positive("every_seconds", everySeconds);
      }
    }

    /** After each epoch. */
    public static Validation defaults() {
      return new Validation(null, null, null);
    }
  }

  /**
   * Checks the ranges.
   *
   * @throws IllegalArgumentException if a value is out of its range; the message names the key
   */
  public TrainingConfig {
    if (maxSteps != null) {
      Checks.atLeast("max_steps", maxSteps, 1);
    }
    if (maxSeconds != null) {
      Checks.positive("max_seconds", maxSeconds);
    }
    Checks.atLeast("epochs", epochs, 1);
    Checks.atLeast("batch_size", batchSize, 1);
    Checks.atLeast("accumulation_steps", accumulationSteps, 1);
    if (clipNorm != null) {
      Checks.positive("clip_norm", clipNorm);
    }
    Checks.positive("huber_delta", huberDelta);
    if (ema != null && !(ema >= 0 && ema < 1)) {
      throw new ConfigKeyException("ema", "must be at least 0 and below 1, not " + ema + ".");
    }
    checkLargestBatch(batch, batchSize);
  }

  /** Batches never shrink, so the largest is at least the first. */
  private static void checkLargestBatch(BatchConfig batch, int batchSize) {
    int first = batch.min() == null ? batchSize : batch.min();
    long largest = batch.max() == null ? 32L * batchSize : batch.max();
    if (batch.adaptive() && largest < first) {
      throw new ConfigKeyException(
          "batch.max",
          "is "
              + largest
              + (batch.max() == null ? ", 32 times batch_size," : "")
              + " and must be at least the first batch, "
              + first
              + " samples ("
              + (batch.min() == null ? "batch_size" : "batch.min")
              + "); set it.");
    }
  }

  /**
   * Builds the section from the keys that a file gives; the others take their defaults.
   *
   * @throws IllegalArgumentException if a value is out of its range
   */
  @JsonCreator
  static TrainingConfig fromKeys(
      @JsonProperty("epochs") @Nullable Integer epochs,
      @JsonProperty("batch_size") @Nullable Integer batchSize,
      @JsonProperty("accumulation_steps") @Nullable Integer accumulationSteps,
      @JsonProperty("clip_norm") @Nullable Double clipNorm,
      @JsonProperty("loss") @Nullable LossConfig loss,
      @JsonProperty("huber_delta") @Nullable Double huberDelta,
      @JsonProperty("early_stopping") @Nullable EarlyStopping earlyStopping,
      @JsonProperty("validation") @Nullable Validation validation,
      @JsonProperty("max_steps") @Nullable Long maxSteps,
      @JsonProperty("max_seconds") @Nullable Double maxSeconds,
      @JsonProperty("precision") @Nullable PrecisionConfig precision,
      @JsonProperty("batch") @Nullable BatchConfig batch,
      @JsonProperty("balance") @Nullable Boolean balance,
      @JsonProperty("ema") @Nullable Double ema) {
    return new TrainingConfig(
        epochs == null ? 30 : epochs,
        batchSize == null ? 256 : batchSize,
        accumulationSteps == null ? 1 : accumulationSteps,
        clipNorm,
        loss == null ? LossConfig.of(LossType.MSE) : loss,
        huberDelta == null ? 1 : huberDelta,
        earlyStopping,
        validation == null ? Validation.defaults() : validation,
        maxSteps,
        maxSeconds,
        precision == null ? PrecisionConfig.float32() : precision,
        batch == null ? BatchConfig.fixed() : batch,
        balance != null && balance,
        ema);
  }

  /** As a file with these keys gives it; what is null takes its default. */
  public static TrainingConfig of(
      @Nullable Integer epochs,
      @Nullable Integer batchSize,
      @Nullable Integer accumulationSteps,
      @Nullable Double clipNorm,
      @Nullable LossType loss,
      @Nullable Double huberDelta,
      @Nullable EarlyStopping earlyStopping) {
    return fromKeys(
        epochs,
        batchSize,
        accumulationSteps,
        clipNorm,
        loss == null ? null : LossConfig.of(loss),
        huberDelta,
        earlyStopping,
        null,
        null,
        null,
        null,
        null,
        null,
        null);
  }

  /** The same with another loss. */
  public TrainingConfig withLoss(LossConfig other) {
    return new TrainingConfig(
        epochs,
        batchSize,
        accumulationSteps,
        clipNorm,
        other,
        huberDelta,
        earlyStopping,
        validation,
        maxSteps,
        maxSeconds,
        precision,
        batch,
        balance,
        ema);
  }

  /** The same with averaged parameters; null for none. */
  public TrainingConfig withEma(@Nullable Double decay) {
    return new TrainingConfig(
        epochs,
        batchSize,
        accumulationSteps,
        clipNorm,
        loss,
        huberDelta,
        earlyStopping,
        validation,
        maxSteps,
        maxSeconds,
        precision,
        batch,
        balance,
        decay);
  }

  /** The same with held-out samples scored at other times. */
  public TrainingConfig withValidation(Validation when) {
    return new TrainingConfig(
        epochs,
        batchSize,
        accumulationSteps,
        clipNorm,
        loss,
        huberDelta,
        earlyStopping,
        when,
        maxSteps,
        maxSeconds,
        precision,
        batch,
        balance,
        ema);
  }

  /** The same with other limits; null for none. */
  public TrainingConfig withLimits(@Nullable Long steps, @Nullable Double seconds) {
    return new TrainingConfig(
        epochs,
        batchSize,
        accumulationSteps,
        clipNorm,
        loss,
        huberDelta,
        earlyStopping,
        validation,
        steps,
        seconds,
        precision,
        batch,
        balance,
        ema);
  }

  /** The same computed in something else. */
  public TrainingConfig withPrecision(PrecisionConfig other) {
    return new TrainingConfig(
        epochs,
        batchSize,
        accumulationSteps,
        clipNorm,
        loss,
        huberDelta,
        earlyStopping,
        validation,
        maxSteps,
        maxSeconds,
        other,
        batch,
        balance,
        ema);
  }

  /** The same with batches that grow, or do not. */
  public TrainingConfig withBatch(BatchConfig growing) {
    return new TrainingConfig(
        epochs,
        batchSize,
        accumulationSteps,
        clipNorm,
        loss,
        huberDelta,
        earlyStopping,
        validation,
        maxSteps,
        maxSeconds,
        precision,
        growing,
        balance,
        ema);
  }

  /** The same with parts of a batch by speed, or equal ones. */
  public TrainingConfig withBalance(boolean bySpeed) {
    return new TrainingConfig(
        epochs,
        batchSize,
        accumulationSteps,
        clipNorm,
        loss,
        huberDelta,
        earlyStopping,
        validation,
        maxSteps,
        maxSeconds,
        precision,
        batch,
        bySpeed,
        ema);
  }

  /** 30 epochs of batches of 256, mean squared error. */
  public static TrainingConfig defaults() {
    return of(null, null, null, null, null, null, null);
  }
}
