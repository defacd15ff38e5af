package dev.lockstep.train.engine;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.JsonNodeFactory;
import com.fasterxml.jackson.databind.node.TextNode;
import dev.lockstep.model.FloatType;
import dev.lockstep.train.PrecisionConfig;
import dev.lockstep.train.PrecisionConfig.Type;
import java.util.Locale;
import java.util.Optional;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Products in a reduced type around parameters in float32 (Micikevicius et al. 2018).
 *
 * <p>Float16 has too small a range for many gradients, so the loss is scaled, and all gradients
 * with it. The scale is changed as {@code torch.amp.GradScaler} does: where the joint gradient is
 * not finite the step is left out and the scale is halved; after {@link
 * PrecisionConfig#growthInterval} steps in a row that are applied it is doubled. A scale that would
 * fall below 1 ends the run instead, as then it is not the scale that makes numbers overflow.
 */
public final class MixedPrecision implements Precision {
  private static final Logger log = LoggerFactory.getLogger(MixedPrecision.class);

  private final PrecisionConfig config;

  /** What is computed in; never {@link Type#AUTO}. */
  private Type type;

  private double scale;

  /** Steps in a row that were applied with the present scale. */
  private int appliedInRow;

  /**
   * Begins with the first scale.
   *
   * @param chosen what {@link Type#AUTO} stands for; otherwise the configured type
   */
  public MixedPrecision(PrecisionConfig config, Type chosen) {
    this.config = config;
    type = chosen;
    scale = chosen == Type.FP16 ? config.initialScale() : 1;
  }

  @Override
  public Optional<FloatType> reducedType() {
    return switch (type) {
      case BF16 -> Optional.of(FloatType.BFLOAT16);
      case FP16 -> Optional.of(FloatType.FLOAT16);
      default -> Optional.empty();
    };
  }

  @Override
  public double lossScale() {
    return scale;
  }

  @Override
  public boolean maySkip() {
    return type == Type.FP16;
  }

  @Override
  public Verdict judge(Reduced reduced) {
    if (type != Type.FP16) {
      return Precision.super.judge(reduced);
    }
    if (!reduced.finite()) {
      if (scale / 2 < 1) {
        return Verdict.FAIL;
      }
      scale /= 2;
      appliedInRow = 0;
      return Verdict.SKIP;
    }
    appliedInRow++;
    if (appliedInRow >= config.growthInterval()) {
      appliedInRow = 0;
      scale = Math.min(2 * scale, Float.MAX_VALUE);
    }
    return Verdict.APPLY;
  }

  @Override
  public void declare(TrainingState state) {
    if (config.type() == Type.AUTO) {
      state.value("precision_chosen", () -> TextNode.valueOf(name(type)), this::restoreChoice);
    } else if (type == Type.FP16) {
      state.value("loss_scale", this::savedScale, this::restoreScale);
    }
  }

  private static String name(Type type) {
    return type.name().toLowerCase(Locale.ROOT);
  }

  private void restoreChoice(JsonNode saved) {
    Type then = PrecisionConfig.of(saved.asText()).type();
    if (then != type) {
      log.info("Precision auto: {}, which the run was begun with.", name(then));
    }
    type = then;
  }

  private JsonNode savedScale() {
    return JsonNodeFactory.instance
        .objectNode()
        .put("scale", scale)
        .put("applied_in_row", appliedInRow);
  }

  private void restoreScale(JsonNode saved) {
    scale = saved.path("scale").asDouble();
    appliedInRow = saved.path("applied_in_row").asInt();
  }
}
