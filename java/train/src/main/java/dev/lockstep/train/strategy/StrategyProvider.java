package dev.lockstep.train.strategy;

import dev.lockstep.ConfigKeyException;
import dev.lockstep.model.Model;
import dev.lockstep.train.MeshConfig;
import dev.lockstep.train.engine.Role;
import java.util.List;

/**
 * A way in which ranks work together, by the name that {@code strategy.type} gives it. Found by
 * {@link java.util.ServiceLoader}: a jar of one's own names its class in {@code
 * META-INF/services/dev.lockstep.train.strategy.StrategyProvider}.
 *
 * @param <O> the options: a record, whose components are the other keys of the section in snake
 *     case; with a {@code @JsonCreator} it decides on defaults (absent keys are null), and an
 *     {@code IllegalArgumentException} from it names the key first
 */
public interface StrategyProvider<O extends Record> {
  /** The strategy's name in a configuration, in snake case. */
  String type();

  /** The record of its options. */
  Class<O> options();

  /**
   * Composes what this rank does in a step; collective, every rank calls it.
   *
   * @param options what the configuration says
   * @param context the group, the model and what parts are made of; closes what it owns, also if
   *     this method throws
   */
  Role create(O options, RoleContext context);

  /**
   * How many ranks, the first ones, are given no samples, as they only serve others; fewer than
   * all.
   *
   * @param ranks of the group
   */
  default int ranksWithoutSamples(O options, int ranks) {
    return 0;
  }

  /**
   * Over how many ranks in a row this strategy cuts a model.
   *
   * @param asked the run's mesh
   * @param ranks of the group
   * @return 1 where every rank has the whole model
   * @throws ConfigKeyException if that is not what the mesh asks for
   */
  default int pipelineLength(O options, MeshConfig asked, Model model, int ranks) {
    if (asked.pipeline() != null && asked.pipeline() > 1) {
      throw new ConfigKeyException(
          "mesh.pipeline",
          "is "
              + asked.pipeline()
              + ", but strategy.type "
              + type()
              + " gives each rank the whole model; set strategy.pipeline.micro_batches and leave"
              + " strategy.type out.");
    }
    return 1;
  }

  /**
   * How many ranks compute a layer together, each with a slice of its width.
   *
   * @param asked the run's mesh
   * @param ranks of the group
   * @return 1 where every rank has whole layers
   * @throws ConfigKeyException if that is not what the mesh asks for
   */
  default int tensorRanks(O options, MeshConfig asked, Model model, int ranks) {
    if (asked.tensor() != null && asked.tensor() > 1) {
      throw new ConfigKeyException(
          "mesh.tensor",
          "is "
              + asked.tensor()
              + ", but strategy.type "
              + type()
              + " gives each rank whole layers; leave the strategy section out for"
              + " tensor_parallel.");
    }
    return 1;
  }

  /**
   * Into how many pieces a rank's share of a batch is cut.
   *
   * @param accumulationSteps of the {@code training} section
   */
  default int pieces(O options, int accumulationSteps) {
    return accumulationSteps;
  }

  /**
   * With which options {@code lockstep verify strategy} runs this strategy. None: with the defaults
   * and Adam, as a strategy whose result does not depend on timing.
   */
  default List<VerifiedSetting<O>> verifiedSettings() {
    return List.of();
  }
}
