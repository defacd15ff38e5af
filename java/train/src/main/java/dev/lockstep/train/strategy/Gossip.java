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
import dev.lockstep.train.strategy.MixingWeights.Design;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * {@code gossip}: after its own step a rank averages its parameters with those of a few others, so
 * that nobody waits for all (Lian et al. 2017, "Can decentralized algorithms outperform centralized
 * algorithms?"; Assran et al. 2019, "Stochastic gradient push for distributed deep learning",
 * algorithm 1). The mean of all ranks is kept, and it is the model that is scored and saved.
 * Without {@code push_sum} that is because mixing weights are doubly stochastic, which takes graphs
 * on which ranks hear of as many as they tell. With it any directed graph will do: only what a rank
 * gives away sums to what it had, and a weight of its own goes the same ways as its parameters, by
 * which these are divided before they are used.
 */
public final class Gossip implements StrategyProvider<Gossip.Options> {
  /** Who tells whom. */
  public enum Graph {
    /**
     * One other rank: 1, 2, 4, … ranks away, in turn. Among 2ⁿ ranks n exchanges give the mean of
     * all.
     */
    @JsonProperty("exponential")
    EXPONENTIAL,
    /** Both neighbours; the weights are those of Metropolis, 1/3 each. */
    @JsonProperty("ring")
    RING,
    /** All others; for comparison. */
    @JsonProperty("complete")
    COMPLETE,
    /** The neighbours that {@code edges} names, with the {@code weights} that it is told. */
    @JsonProperty("user")
    USER
  }

  /**
   * The keys beside {@code type}.
   *
   * @param graph who tells whom
   * @param every optimiser steps between exchanges, at least 1
   * @param agreeEvery optimiser steps after which all ranks hear of a wish to stop, or of a loss
   *     that is not finite, or form a group without one that is gone, at least 1; they also do when
   *     the model is scored or saved
   * @param edges of {@code graph: user}: pairs of ranks that are neighbours, as {@code 0-3}
   * @param weights of {@code graph: user}: how much ranks take of each other; null: metropolis
   * @param pushSum whether ranks give away parts of what they have, and a weight with it; then
   *     edges may be one-way, as {@code 0>3}, and rank 3 need not tell rank 0
   */
  public record Options(
      Graph graph,
      int every,
      int agreeEvery,
      List<String> edges,
      @Nullable Design weights,
      boolean pushSum) {
    /**
     * Checks the ranges.
     *
     * @throws IllegalArgumentException if a value is out of its range; the message names the key
     */
    public Options {
      Checks.atLeast("every", every, 1);
      Checks.atLeast("agree_every", agreeEvery, 1);
      edges = List.copyOf(edges);
      edges.forEach(GossipPeers::ends);
      if (edges.isEmpty() == (graph == Graph.USER)) {
        throw new ConfigKeyException(
            "edges",
            edges.isEmpty()
                ? "must name pairs of ranks with graph: user."
                : "needs graph: user; the other graphs have edges of their own.");
      }
      if (!pushSum && edges.stream().anyMatch(GossipPeers::isDirected)) {
        throw new ConfigKeyException(
            "edges", "must be of two ranks that tell each other, as 0-3, without push_sum: true.");
      }
      if (pushSum && weights != null) {
        throw new ConfigKeyException(
            "weights",
            "cannot be chosen with push_sum: true: a rank gives all whom it tells, and"
                + " itself, equal parts.");
      }
      if (weights != null && graph != Graph.USER) {
        throw new ConfigKeyException(
            "weights", "needs graph: user; the other graphs have weights of their own.");
      }
    }

    /** From the keys that a file gives; the others take their defaults. */
    @JsonCreator
    public static Options of(
        @JsonProperty("graph") @Nullable Graph graph,
        @JsonProperty("every") @Nullable Integer every,
        @JsonProperty("agree_every") @Nullable Integer agreeEvery,
        @JsonProperty("edges") @Nullable List<String> edges,
        @JsonProperty("weights") @Nullable Design weights,
        @JsonProperty("push_sum") @Nullable Boolean pushSum) {
      return new Options(
          graph == null ? Graph.EXPONENTIAL : graph,
          every == null ? 1 : every,
          agreeEvery == null ? 50 : agreeEvery,
          edges == null ? List.of() : edges,
          weights,
          pushSum != null && pushSum);
    }

    /** Without push-sum. */
    public static Options of(
        @Nullable Graph graph,
        @Nullable Integer every,
        @Nullable Integer agreeEvery,
        @Nullable List<String> edges,
        @Nullable Design weights) {
      return of(graph, every, agreeEvery, edges, weights, null);
    }

    /** How the weights of a user's graph are designed. */
    Design design() {
      return weights == null ? Design.METROPOLIS : weights;
    }

    /** The same with push-sum. */
    public Options withPushSum() {
      return new Options(graph, every, agreeEvery, edges, weights, true);
    }

    /** Of one of the graphs that need no edges. */
    public static Options of(
        @Nullable Graph graph, @Nullable Integer every, @Nullable Integer agreeEvery) {
      return of(graph, every, agreeEvery, null, null);
    }
  }

  @Override
  public String type() {
    return "gossip";
  }

  @Override
  public Class<Options> options() {
    return Options.class;
  }

  @Override
  public List<VerifiedSetting<Options>> verifiedSettings() {
    return List.of(
        // The mean of the ranks' steps, which is the step of the joined batch.
        VerifiedSetting.equal(
                "complete", Options.of(Graph.COMPLETE, 1, 3), VerifiedSetting.SGD, 1e-5)
            .surviving(),
        VerifiedSetting.repeatable(
                "exponential", Options.of(Graph.EXPONENTIAL, 1, 3), VerifiedSetting.MOMENTUM)
            .surviving(),
        VerifiedSetting.repeatable(
                "ring every 2", Options.of(Graph.RING, 2, 50), VerifiedSetting.ADAM)
            .surviving(),
        VerifiedSetting.equal(
                "push_sum, complete",
                Options.of(Graph.COMPLETE, 1, 3).withPushSum(),
                VerifiedSetting.SGD,
                1e-5)
            .surviving(),
        VerifiedSetting.repeatable(
                "push_sum, exponential",
                Options.of(Graph.EXPONENTIAL, 1, 3).withPushSum(),
                VerifiedSetting.MOMENTUM)
            .surviving());
  }

  @Override
  public Role create(Options options, RoleContext context) {
    FlatParameters parameters = context.parameters();
    ModelBuffers buffers = context.buffers();
    LocalOptimizer optimizer =
        context.own(new LocalOptimizer(context.optimizer(), parameters, Placement.Resize.FIRST));
    return context.worker(
        parameters,
        buffers,
        new LocalGradients(context.communicator(), parameters),
        optimizer,
        new GossipExchange(options, context, parameters, buffers, optimizer));
  }
}
