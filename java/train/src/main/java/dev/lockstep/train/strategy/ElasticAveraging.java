package dev.lockstep.train.strategy;

import com.fasterxml.jackson.annotation.JsonCreator;
import com.fasterxml.jackson.annotation.JsonProperty;
import dev.lockstep.ConfigKeyException;
import dev.lockstep.checkpoint.Placement;
import dev.lockstep.train.Checks;
import dev.lockstep.train.engine.Role;
import dev.lockstep.train.memory.FlatParameters;
import dev.lockstep.train.memory.ModelBuffers;
import dev.lockstep.train.optimizer.LocalOptimizer;
import dev.lockstep.train.strategy.server.CentreExchange;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * {@code elastic_averaging}: ranks explore with parameters of their own, which a spring pulls
 * towards a centre that follows their mean (Zhang, Choromanska and LeCun 2015, "Deep learning with
 * elastic averaging SGD"). With {@code optimizer.momentum} and {@code nesterov} it is their EAMSGD.
 * The centre is the model that is scored and saved.
 */
public final class ElasticAveraging implements StrategyProvider<ElasticAveraging.Options> {
  /** What an exchange does with the ranks' parameters. */
  public enum Rule {
    /** x ← x − ηg(x) − α(x − c), c ← (1 − β)c + β·mean(x), all of x before the step. */
    @JsonProperty("elastic")
    ELASTIC,
    /** After the step x ← α·x + (1 − α)·mean(x), c ← mean(x). */
    @JsonProperty("blend")
    BLEND
  }

  /** Who waits for whom. */
  public enum Synchronization {
    /** All ranks for all, at every exchange. */
    @JsonProperty("synchronous")
    SYNCHRONOUS,
    /** Nobody: ranks keep slices of the centre, and each exchanges with it when it comes to it. */
    @JsonProperty("asynchronous")
    ASYNCHRONOUS
  }

  /**
   * The keys beside {@code type}.
   *
   * @param synchronization who waits for whom; {@code blend} needs synchronous
   * @param every optimiser steps between exchanges, at least 1
   * @param rule what an exchange does: {@code elastic} is the paper's; {@code blend} moves each
   *     rank towards the mean
   * @param alpha of the rule, in [0, 1]; null: beta ÷ ranks for elastic, as in the paper, and 0.5
   *     for blend
   * @param beta how far the centre moves towards the mean, above 0, at most 1; null: 0.9; of
   *     elastic alone. Asynchronous exchanges move it by alpha each, so that one of the two is
   *     given
   */
  public record Options(
      Synchronization synchronization,
      int every,
      Rule rule,
      @Nullable Double alpha,
      @Nullable Double beta) {
    /**
     * Checks the ranges.
     *
     * @throws IllegalArgumentException if a value is out of its range; the message names the key
     */
    public Options {
      Checks.atLeast("every", every, 1);
      if (alpha != null && !(alpha >= 0 && alpha <= 1)) {
        throw new ConfigKeyException("alpha", "must be 0 to 1, not " + alpha + ".");
      }
      if (beta != null && !(beta > 0 && beta <= 1)) {
        throw new ConfigKeyException("beta", "must be above 0 and at most 1, not " + beta + ".");
      }
      if (rule == Rule.BLEND && synchronization == Synchronization.ASYNCHRONOUS) {
        throw new ConfigKeyException(
            "rule", "must be elastic with synchronization: asynchronous; blend needs all ranks.");
      }
      if (synchronization == Synchronization.ASYNCHRONOUS && alpha != null && beta != null) {
        throw new ConfigKeyException(
            "beta", "is alpha × ranks with synchronization: asynchronous; give one of them.");
      }
    }

    /** From the keys that a file gives; the others take their defaults. */
    @JsonCreator
    public static Options of(
        @JsonProperty("synchronization") @Nullable Synchronization synchronization,
        @JsonProperty("every") @Nullable Integer every,
        @JsonProperty("rule") @Nullable Rule rule,
        @JsonProperty("alpha") @Nullable Double alpha,
        @JsonProperty("beta") @Nullable Double beta) {
      return new Options(
          synchronization == null ? Synchronization.SYNCHRONOUS : synchronization,
          every == null ? 10 : every,
          rule == null ? Rule.ELASTIC : rule,
          alpha,
          beta);
    }

    /** Synchronous. */
    public static Options of(
        @Nullable Integer every,
        @Nullable Rule rule,
        @Nullable Double alpha,
        @Nullable Double beta) {
      return of(null, every, rule, alpha, beta);
    }

    /** The same with exchanges for which nobody waits. */
    public Options withAsynchronous() {
      return new Options(Synchronization.ASYNCHRONOUS, every, rule, alpha, beta);
    }

    /** How far the centre moves towards the mean. */
    double centreShare() {
      return beta == null ? 0.9 : beta;
    }

    /** The rule's α for so many ranks. */
    double alphaFor(int ranks) {
      if (alpha != null) {
        return alpha;
      }
      return rule == Rule.ELASTIC ? centreShare() / ranks : 0.5;
    }
  }

  @Override
  public String type() {
    return "elastic_averaging";
  }

  @Override
  public Class<Options> options() {
    return Options.class;
  }

  @Override
  public List<VerifiedSetting<Options>> verifiedSettings() {
    return List.of(
        // Every rank takes the mean after every step.
        VerifiedSetting.equal(
            "blend 0 every 1", Options.of(1, Rule.BLEND, 0.0, null), VerifiedSetting.SGD, 1e-5),
        VerifiedSetting.repeatable(
            "elastic every 2", Options.of(2, null, null, null), VerifiedSetting.MOMENTUM),
        VerifiedSetting.repeatable(
            "blend every 3", Options.of(3, Rule.BLEND, null, null), VerifiedSetting.ADAM),
        VerifiedSetting.dependingOnTiming(
            "asynchronous every 2",
            Options.of(2, null, null, null).withAsynchronous(),
            VerifiedSetting.MOMENTUM));
  }

  @Override
  public Role create(Options options, RoleContext context) {
    FlatParameters parameters = context.parameters();
    ModelBuffers buffers = context.buffers();
    LocalOptimizer optimizer =
        context.own(new LocalOptimizer(context.optimizer(), parameters, Placement.Resize.FIRST));
    if (options.synchronization() == Synchronization.ASYNCHRONOUS) {
      CentreExchange exchange =
          new CentreExchange(
              options.every(),
              options.alphaFor(context.communicator().size()),
              context,
              parameters,
              buffers,
              optimizer,
              context.own(new OwnParameters(parameters, Placement.Resize.FIRST)));
      return context.worker(parameters, buffers, exchange, optimizer, exchange);
    }
    ElasticExchange exchange =
        new ElasticExchange(options, context, parameters, buffers, optimizer);
    return context.worker(parameters, buffers, exchange, optimizer, exchange);
  }
}
