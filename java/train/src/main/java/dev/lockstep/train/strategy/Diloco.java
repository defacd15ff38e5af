package dev.lockstep.train.strategy;

import com.fasterxml.jackson.annotation.JsonCreator;
import com.fasterxml.jackson.annotation.JsonProperty;
import dev.lockstep.ConfigKeyException;
import dev.lockstep.checkpoint.Placement;
import dev.lockstep.train.Checks;
import dev.lockstep.train.compression.CompressionConfig;
import dev.lockstep.train.engine.Role;
import dev.lockstep.train.memory.FlatParameters;
import dev.lockstep.train.memory.ModelBuffers;
import dev.lockstep.train.optimizer.LocalOptimizer;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * {@code diloco}: ranks train on their own for many steps; what their parameters have changed by,
 * averaged, is the gradient of an outer optimiser, SGD with Nesterov momentum (Douillard et al.
 * 2023, "DiLoCo: Distributed low-communication training of language models"). Cut into fragments
 * that go at different steps, and are applied a few steps later, it never sends much at once and
 * never waits (Douillard et al. 2025, "Streaming DiLoCo with overlapping communication"). The outer
 * model is what is scored and saved; at the end of the run the last changes go into it.
 */
public final class Diloco implements StrategyProvider<Diloco.Options> {
  /** What changes are sent as. */
  public enum Sent {
    /** As the parameters' own type. */
    @JsonProperty("exact")
    EXACT,
    /** bfloat16, half the bytes of float32. */
    @JsonProperty("bf16")
    BF16
  }

  /**
   * The keys beside {@code type}.
   *
   * @param every inner steps between two outer steps of a fragment, at least 1
   * @param fragments parts of the parameters that take turns; divides {@code every}
   * @param delay inner steps between sending a fragment's changes and the outer step with them, at
   *     least 0 and below {@code every} ÷ {@code fragments}
   * @param outerLearningRate of the outer SGD, above 0
   * @param outerMomentum of the outer SGD, in [0, 1); Nesterov's where it is above 0
   * @param innerShare the part of a rank's own parameters that stays in them at an outer step, in
   *     [0, 1); the rest comes from the outer model
   * @param sent what changes are sent as
   * @param compression how changes are made smaller before they are averaged, with what was lost
   *     added to the next ones; {@code sent} is exact then. Not {@code auto}, and {@code power_sgd}
   *     with one fragment alone
   */
  public record Options(
      int every,
      int fragments,
      int delay,
      double outerLearningRate,
      double outerMomentum,
      double innerShare,
      Sent sent,
      CompressionConfig compression) {
    /**
     * Checks the ranges.
     *
     * @throws IllegalArgumentException if a value is out of its range; the message names the key
     */
    public Options {
      Checks.atLeast("every", every, 1);
      Checks.atLeast("fragments", fragments, 1);
      Checks.atLeast("delay", delay, 0);
      Checks.positive("outer_learning_rate", outerLearningRate);
      Checks.fraction("outer_momentum", outerMomentum);
      Checks.fraction("inner_share", innerShare);
      checkCompression(compression, sent, fragments);
      if (every % fragments != 0) {
        throw new ConfigKeyException(
            "fragments", "must divide every, " + every + ", which " + fragments + " does not.");
      }
      if (delay >= every / fragments) {
        throw new ConfigKeyException(
            "delay",
            "must be below every ÷ fragments, "
                + every / fragments
                + ", so that one fragment is under way at a time; it is "
                + delay
                + ".");
      }
    }

    private static void checkCompression(CompressionConfig compression, Sent sent, int fragments) {
      if (!compression.compresses()) {
        return;
      }
      if (sent != Sent.EXACT) {
        throw new ConfigKeyException("compression", "must be none with sent: bf16.");
      }
      if (compression.type() == CompressionConfig.Type.AUTO || compression.momentum() > 0) {
        throw new ConfigKeyException(
            "compression",
            "must name a type and have momentum 0: the outer optimiser has its own.");
      }
      if (compression.type() == CompressionConfig.Type.POWER_SGD && fragments > 1) {
        throw new ConfigKeyException(
            "compression", "power_sgd needs whole matrices, which fragments: 1 leaves.");
      }
    }

    /** From the keys that a file gives; the others take their defaults. */
    @JsonCreator
    public static Options of(
        @JsonProperty("every") @Nullable Integer every,
        @JsonProperty("fragments") @Nullable Integer fragments,
        @JsonProperty("delay") @Nullable Integer delay,
        @JsonProperty("outer_learning_rate") @Nullable Double outerLearningRate,
        @JsonProperty("outer_momentum") @Nullable Double outerMomentum,
        @JsonProperty("inner_share") @Nullable Double innerShare,
        @JsonProperty("sent") @Nullable Sent sent,
        @JsonProperty("compression") @Nullable CompressionConfig compression) {
      return new Options(
          every == null ? 50 : every,
          fragments == null ? 1 : fragments,
          delay == null ? 0 : delay,
          outerLearningRate == null ? 0.7 : outerLearningRate,
          outerMomentum == null ? 0.9 : outerMomentum,
          innerShare == null ? 0 : innerShare,
          sent == null ? Sent.EXACT : sent,
          compression == null ? CompressionConfig.none() : compression);
    }

    /** Of changes that are not compressed. */
    public static Options of(
        @Nullable Integer every,
        @Nullable Integer fragments,
        @Nullable Integer delay,
        @Nullable Double outerLearningRate,
        @Nullable Double outerMomentum,
        @Nullable Double innerShare,
        @Nullable Sent sent) {
      return of(every, fragments, delay, outerLearningRate, outerMomentum, innerShare, sent, null);
    }

    /** The same with smaller changes. */
    public Options withCompression(CompressionConfig smaller) {
      return new Options(
          every, fragments, delay, outerLearningRate, outerMomentum, innerShare, sent, smaller);
    }
  }

  @Override
  public String type() {
    return "diloco";
  }

  @Override
  public Class<Options> options() {
    return Options.class;
  }

  @Override
  public List<VerifiedSetting<Options>> verifiedSettings() {
    return List.of(
        // The average of the ranks' SGD steps, applied as it is.
        VerifiedSetting.equal(
            "every 1, outer rate 1",
            Options.of(1, 1, 0, 1.0, 0.0, null, null),
            VerifiedSetting.SGD,
            1e-5),
        VerifiedSetting.repeatable(
            "every 3", Options.of(3, 1, 0, null, null, null, null), VerifiedSetting.ADAM),
        VerifiedSetting.repeatable(
            "streaming, bf16",
            Options.of(4, 2, 1, null, null, 0.5, Sent.BF16),
            VerifiedSetting.ADAM),
        VerifiedSetting.equal(
            "every 1, top_k of all",
            Options.of(1, 1, 0, 1.0, 0.0, null, null)
                .withCompression(
                    CompressionConfig.of(CompressionConfig.Type.TOP_K).withDensity(1, 0)),
            VerifiedSetting.SGD,
            1e-5),
        VerifiedSetting.repeatable(
            "streaming, int8",
            Options.of(4, 2, 1, null, null, 0.5, null)
                .withCompression(CompressionConfig.of(CompressionConfig.Type.INT8)),
            VerifiedSetting.ADAM));
  }

  @Override
  public Role create(Options options, RoleContext context) {
    FlatParameters parameters = context.parameters();
    ModelBuffers buffers = context.buffers();
    // As in the paper, each rank keeps moments of its own, which no average touches.
    LocalOptimizer inner =
        context.own(new LocalOptimizer(context.optimizer(), parameters, Placement.Resize.FIRST));
    return context.worker(
        parameters,
        buffers,
        new LocalGradients(context.communicator(), parameters),
        inner,
        new OuterExchange(options, context, parameters, buffers, inner));
  }
}
