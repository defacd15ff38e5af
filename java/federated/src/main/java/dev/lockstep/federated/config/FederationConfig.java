package dev.lockstep.federated.config;

import static java.util.Objects.requireNonNull;

import com.fasterxml.jackson.annotation.JsonCreator;
import com.fasterxml.jackson.annotation.JsonProperty;
import dev.lockstep.ConfigKeyException;
import dev.lockstep.train.Checks;
import dev.lockstep.train.TrainingConfig.LossType;
import java.util.List;
import java.util.Locale;
import org.jspecify.annotations.Nullable;

/**
 * The {@code federation} section of a configuration.
 *
 * @param rounds of the server, at least 1
 * @param clients how many clients share the training samples; 0 for as many as {@code partition}
 *     gives, where that follows from the data
 * @param perRound clients of a round, from 1 to {@code clients}; instead of {@code fraction}
 * @param fraction of the clients that take part in a round, above 0 and up to 1; 1 without either
 * @param localEpochs passes over its samples that a client trains in a round, at least 1; 1 without
 *     {@code local_steps}
 * @param localSteps optimiser steps of a client in a round, instead of {@code local_epochs}
 * @param batchSize samples of a client's step, at least 1
 * @param loss what clients minimise
 * @param clipNorm a client's gradients of a larger 2-norm are scaled down to it; null for no
 *     clipping
 * @param algorithm what clients do, and what the server makes of it
 * @param mu of {@link Algorithm#FEDPROX}: the weight of ½‖w − w₀‖², at least 0
 * @param serverOptimizer how the server steps along the clients' mean change
 * @param partition who has which samples
 * @param selection who takes part in a round
 * @param aggregation how the clients' changes become one
 * @param personal tensors or layers that each client keeps for itself, by name; of batch norms this
 *     is FedBN
 * @param privacy of the clients; null for none
 * @param asynchronous of {@link Algorithm#FEDBUFF}
 * @param latency how long clients take, in simulated seconds
 * @param augmentation how clients vary their images; null for not at all
 * @param attack what some clients do instead of training honestly; null for nothing
 * @param network of clients that are other processes; null for none, without meaning to a
 *     simulation
 * @param evaluateEvery rounds between scores of the held-out samples, at least 1; also after the
 *     last
 * @param checkpointEvery rounds between checkpoints; 0 for none but at a stop
 */
public record FederationConfig(
    int rounds,
    int clients,
    @Nullable Integer perRound,
    @Nullable Double fraction,
    @Nullable Integer localEpochs,
    @Nullable Integer localSteps,
    int batchSize,
    LossType loss,
    @Nullable Double clipNorm,
    Algorithm algorithm,
    double mu,
    ServerOptimizerConfig serverOptimizer,
    PartitionConfig partition,
    SelectionConfig selection,
    AggregationConfig aggregation,
    List<String> personal,
    @Nullable PrivacyConfig privacy,
    AsynchronousConfig asynchronous,
    LatencyConfig latency,
    @Nullable AugmentationConfig augmentation,
    @Nullable AttackConfig attack,
    @Nullable NetworkConfig network,
    int evaluateEvery,
    int checkpointEvery) {

  /**
   * Checks what does not need the data.
   *
   * @throws IllegalArgumentException naming the key that is wrong
   */
  public FederationConfig {
    personal = List.copyOf(personal);
    Checks.atLeast("rounds", rounds, 1);
    Checks.atLeast("clients", clients, 0);
    Checks.atLeast("batch_size", batchSize, 1);
    Checks.notNegative("mu", mu);
    if (loss.compareTo(LossType.CROSS_ENTROPY) > 0) {
      throw new ConfigKeyException(
          "loss", "must be mse, mae, huber or cross_entropy; the others are of lockstep train");
    }
    Checks.atLeast("evaluate_every", evaluateEvery, 1);
    Checks.atLeast("checkpoint_every", checkpointEvery, 0);
    if ((localEpochs == null) == (localSteps == null)) {
      throw new ConfigKeyException(
          "local_steps", "give either local_steps or local_epochs, not both");
    }
    Checks.atLeast("local_steps", localSteps == null ? 1 : localSteps, 1);
    Checks.atLeast("local_epochs", localEpochs == null ? 1 : localEpochs, 1);
    if (clipNorm != null) {
      Checks.positive("clip_norm", clipNorm);
    }
    if ((fraction == null) == (perRound == null)) {
      throw new ConfigKeyException("per_round", "give either per_round or fraction, not both");
    }
    if (fraction != null && !(fraction > 0 && fraction <= 1)) {
      throw new ConfigKeyException("fraction", "must be above 0 and at most 1, not " + fraction);
    }
    if (perRound != null) {
      Checks.atLeast("per_round", perRound, 1);
      if (clients > 0 && perRound > clients) {
        throw new ConfigKeyException(
            "per_round", "is " + perRound + ", but there are " + clients + " clients");
      }
    }
    if (clients == 0 && !partition.type().knowsClients()) {
      throw new ConfigKeyException("clients", "is missing; say how many share the data");
    }
    checkCombination(algorithm, aggregation, selection);
    if (!personal.isEmpty() && algorithm == Algorithm.FEDBUFF) {
      throw new ConfigKeyException(
          "personal", "is not for fedbuff, in which a client may train twice at a time");
    }
    if (privacy != null) {
      checkPrivacy(privacy, algorithm, aggregation, selection);
    }
  }

  private static void checkCombination(
      Algorithm algorithm, AggregationConfig aggregation, SelectionConfig selection) {
    boolean mean = aggregation.rule() == AggregationConfig.Rule.MEAN;
    if (!mean && (algorithm == Algorithm.SCAFFOLD || algorithm == Algorithm.FEDNOVA)) {
      throw new ConfigKeyException(
          "aggregation",
          "must be mean for "
              + algorithm
              + ", whose server needs the clients' mean; use fedavg or fedprox with another rule");
    }
    if (algorithm == Algorithm.FEDBUFF && selection.type() != SelectionConfig.Type.UNIFORM) {
      throw new ConfigKeyException(
          "selection", "must be uniform for fedbuff, whose clients follow one another at random");
    }
  }

  /** Only what a theorem covers, or what the server can do without seeing single changes. */
  private static void checkPrivacy(
      PrivacyConfig privacy,
      Algorithm algorithm,
      AggregationConfig aggregation,
      SelectionConfig selection) {
    if (algorithm != Algorithm.FEDAVG && algorithm != Algorithm.FEDPROX) {
      throw new ConfigKeyException("privacy", "is for fedavg and fedprox, not for " + algorithm);
    }
    if (!privacy.addsNoise()) {
      if (aggregation.rule() != AggregationConfig.Rule.MEAN
          && aggregation.rule() != AggregationConfig.Rule.NORM_BOUND) {
        throw new ConfigKeyException(
            "aggregation",
            "must be mean or norm_bound with secure_aggregation, which hides what others look at");
      }
      return;
    }
    if (aggregation.rule() != AggregationConfig.Rule.MEAN) {
      throw new ConfigKeyException(
          "privacy", "needs aggregation: mean, which it clips itself; see clip_norm");
    }
    if (selection.type() != SelectionConfig.Type.UNIFORM
        && selection.type() != SelectionConfig.Type.POISSON) {
      throw new ConfigKeyException(
          "privacy",
          "has a theorem for selection by uniform and poisson, not by "
              + selection.type().name().toLowerCase(Locale.ROOT));
    }
  }

  /** From the keys that a file gives; the others take their defaults. */
  @JsonCreator
  public static FederationConfig of(
      @JsonProperty("rounds") @Nullable Integer rounds,
      @JsonProperty("clients") @Nullable Integer clients,
      @JsonProperty("per_round") @Nullable Integer perRound,
      @JsonProperty("fraction") @Nullable Double fraction,
      @JsonProperty("local_epochs") @Nullable Integer localEpochs,
      @JsonProperty("local_steps") @Nullable Integer localSteps,
      @JsonProperty("batch_size") @Nullable Integer batchSize,
      @JsonProperty("loss") @Nullable LossType loss,
      @JsonProperty("clip_norm") @Nullable Double clipNorm,
      @JsonProperty("algorithm") @Nullable Algorithm algorithm,
      @JsonProperty("mu") @Nullable Double mu,
      @JsonProperty("server_optimizer") @Nullable ServerOptimizerConfig serverOptimizer,
      @JsonProperty("partition") @Nullable PartitionConfig partition,
      @JsonProperty("selection") @Nullable SelectionConfig selection,
      @JsonProperty("aggregation") @Nullable AggregationConfig aggregation,
      @JsonProperty("personal") @Nullable List<String> personal,
      @JsonProperty("privacy") @Nullable PrivacyConfig privacy,
      @JsonProperty("asynchronous") @Nullable AsynchronousConfig asynchronous,
      @JsonProperty("latency") @Nullable LatencyConfig latency,
      @JsonProperty("augmentation") @Nullable AugmentationConfig augmentation,
      @JsonProperty("attack") @Nullable AttackConfig attack,
      @JsonProperty("network") @Nullable NetworkConfig network,
      @JsonProperty("evaluate_every") @Nullable Integer evaluateEvery,
      @JsonProperty("checkpoint_every") @Nullable Integer checkpointEvery) {
    return new FederationConfig(
        rounds == null ? 10 : rounds,
        clients == null ? 0 : clients,
        perRound,
        fraction == null && perRound == null ? Double.valueOf(1) : fraction,
        localEpochs == null && localSteps == null ? Integer.valueOf(1) : localEpochs,
        localSteps,
        batchSize == null ? 32 : batchSize,
        loss == null ? LossType.MSE : loss,
        clipNorm,
        algorithm == null ? Algorithm.FEDAVG : algorithm,
        mu == null ? 0.01 : mu,
        serverOptimizer == null ? ServerOptimizerConfig.defaults() : serverOptimizer,
        partition == null ? PartitionConfig.defaults() : partition,
        selection == null ? SelectionConfig.defaults() : selection,
        aggregation == null ? AggregationConfig.defaults() : aggregation,
        personal == null ? List.of() : personal,
        privacy,
        asynchronous == null ? AsynchronousConfig.of(null, null) : asynchronous,
        latency == null ? LatencyConfig.of(null, null, null) : latency,
        augmentation,
        attack,
        network,
        evaluateEvery == null ? 1 : evaluateEvery,
        checkpointEvery == null ? 10 : checkpointEvery);
  }

  /** Clients of a round, of so many in all. */
  public int perRound(int all) {
    return fraction == null
        ? requireNonNull(perRound, "one of fraction and per_round")
        : (int) Math.max(1, Math.round(fraction * all));
  }

  /** Optimiser steps in a round of a client with so many samples. */
  public int steps(int samples) {
    return localSteps != null
        ? localSteps
        : Math.multiplyExact(requireNonNull(localEpochs), (samples - 1) / batchSize + 1);
  }

  /** All on which a round's result depends: not how many, nor what is written when, nor where. */
  public FederationConfig withoutLength() {
    return with(1, null, 1, 0);
  }

  /** The same over a network. */
  public FederationConfig withNetwork(NetworkConfig where) {
    return with(rounds, where, evaluateEvery, checkpointEvery);
  }

  private FederationConfig with(
      int length, @Nullable NetworkConfig where, int evaluated, int saved) {
    return new FederationConfig(
        length,
        clients,
        perRound,
        fraction,
        localEpochs,
        localSteps,
        batchSize,
        loss,
        clipNorm,
        algorithm,
        mu,
        serverOptimizer,
        partition,
        selection,
        aggregation,
        personal,
        privacy,
        asynchronous,
        latency,
        augmentation,
        attack,
        where,
        evaluated,
        saved);
  }
}
