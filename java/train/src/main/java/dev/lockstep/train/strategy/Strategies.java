package dev.lockstep.train.strategy;

import com.fasterxml.jackson.databind.node.JsonNodeFactory;
import dev.lockstep.ConfigKeyException;
import dev.lockstep.model.Model;
import dev.lockstep.train.MeshConfig;
import dev.lockstep.train.StrategyConfig;
import dev.lockstep.train.engine.Role;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.ServiceConfigurationError;
import java.util.ServiceLoader;
import java.util.TreeMap;

/** The strategies that are there: those of this library and those of other jars. */
public final class Strategies {
  private Strategies() {}

  /** What every type's options are, by the type's name. */
  public static Map<String, Class<? extends Record>> options() {
    Map<String, Class<? extends Record>> options = new TreeMap<>();
    providers().forEach((type, provider) -> options.put(type, provider.options()));
    return options;
  }

  /** Composes what this rank does in a step. */
  public static Role create(StrategyConfig config, RoleContext context) {
    StrategyProvider<?> provider = providers().get(config.type());
    if (provider == null) {
      throw new IllegalArgumentException("type: there is no strategy " + config.type() + ".");
    }
    return create(provider, config.options(), context);
  }

  /** How many ranks, the first ones, are given no samples. */
  public static int ranksWithoutSamples(StrategyConfig config, int ranks) {
    StrategyProvider<?> provider = providers().get(config.type());
    return provider == null ? 0 : ranksWithoutSamples(provider, config.options(), ranks);
  }

  /** Over how many ranks in a row the strategy cuts the model. */
  public static int pipelineLength(
      StrategyConfig config, MeshConfig asked, Model model, int ranks) {
    StrategyProvider<?> provider = providers().get(config.type());
    return provider == null ? 1 : pipelineLength(provider, config.options(), asked, model, ranks);
  }

  private static <O extends Record> int pipelineLength(
      StrategyProvider<O> provider, Record options, MeshConfig asked, Model model, int ranks) {
    return provider.pipelineLength(provider.options().cast(options), asked, model, ranks);
  }

  /** How many ranks compute a layer together. */
  public static int tensorRanks(StrategyConfig config, MeshConfig asked, Model model, int ranks) {
    StrategyProvider<?> provider = providers().get(config.type());
    return provider == null ? 1 : tensorRanks(provider, config.options(), asked, model, ranks);
  }

  private static <O extends Record> int tensorRanks(
      StrategyProvider<O> provider, Record options, MeshConfig asked, Model model, int ranks) {
    return provider.tensorRanks(provider.options().cast(options), asked, model, ranks);
  }

  /** Into how many pieces a rank's share of a batch is cut. */
  public static int pieces(StrategyConfig config, int accumulationSteps) {
    StrategyProvider<?> provider = providers().get(config.type());
    return provider == null
        ? accumulationSteps
        : pieces(provider, config.options(), accumulationSteps);
  }

  private static <O extends Record> int pieces(
      StrategyProvider<O> provider, Record options, int accumulationSteps) {
    return provider.pieces(provider.options().cast(options), accumulationSteps);
  }

  private static <O extends Record> int ranksWithoutSamples(
      StrategyProvider<O> provider, Record options, int ranks) {
    return provider.ranksWithoutSamples(provider.options().cast(options), ranks);
  }

  private static <O extends Record> Role create(
      StrategyProvider<O> provider, Record options, RoleContext context) {
    return provider.create(provider.options().cast(options), context);
  }

  /**
   * With which settings a type is to be verified.
   *
   * @throws ConfigKeyException if there is no such type
   */
  public static List<VerifiedSetting<?>> verifiedSettings(String type) {
    // Refuses a type that is not there.
    Record defaults =
        StrategyConfig.fromJson(JsonNodeFactory.instance.objectNode().put("type", type)).options();
    StrategyProvider<?> provider = Objects.requireNonNull(providers().get(type));
    List<VerifiedSetting<?>> settings = List.copyOf(provider.verifiedSettings());
    return settings.isEmpty()
        ? List.of(VerifiedSetting.repeatable("defaults", defaults, VerifiedSetting.ADAM))
        : settings;
  }

  /** The type whose options these are. */
  public static String typeOf(Record options) {
    return providers().values().stream()
        .filter(provider -> provider.options() == options.getClass())
        .map(StrategyProvider::type)
        .findFirst()
        .orElseThrow(
            () -> new IllegalArgumentException(options + " are not the options of a strategy."));
  }

  private static Map<String, StrategyProvider<?>> providers() {
    Map<String, StrategyProvider<?>> byType = new TreeMap<>();
    try {
      for (StrategyProvider<?> provider : ServiceLoader.load(StrategyProvider.class)) {
        StrategyProvider<?> other = byType.put(provider.type(), provider);
        if (other != null) {
          throw new IllegalArgumentException(
              "type: both %s and %s call themselves strategy %s; take one off the class path."
                  .formatted(
                      other.getClass().getName(), provider.getClass().getName(), provider.type()));
        }
      }
    } catch (ServiceConfigurationError e) {
      throw new IllegalArgumentException(
          "type: a strategy on the class path cannot be loaded: " + e.getMessage(), e);
    }
    return byType;
  }
}
