package dev.lockstep.train;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertInstanceOf;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.lockstep.checkpoint.Checkpoint;
import dev.lockstep.comm.CommunicationException;
import dev.lockstep.comm.Communicator;
import dev.lockstep.comm.CommunicatorConfig.Choice;
import dev.lockstep.data.Dataset;
import dev.lockstep.monitor.RunSummary;
import dev.lockstep.monitor.TrainingEvent.StepDone;
import dev.lockstep.monitor.TrainingListener;
import dev.lockstep.testing.RankThreads;
import dev.lockstep.train.strategy.Gossip;
import dev.lockstep.train.strategy.Gossip.Graph;
import dev.lockstep.train.verify.TrialGroup;
import dev.lockstep.train.verify.TrialGroup.Conditions;
import dev.lockstep.train.verify.TrialGroup.Ending;
import java.lang.reflect.InvocationTargetException;
import java.lang.reflect.Proxy;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.file.Path;
import java.time.Duration;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.ValueSource;

/** Gossip whose ranks die. */
@Timeout(200)
class GossipTrainingTest {
  private static final Dataset DATA = ArrayDataset.smooth(150);

  @TempDir Path folder;

  private static Runs.Plan plan(Gossip.Options options) {
    return Runs.Plan.of(3, Runs.SGD).strategy(StrategyConfig.of(options));
  }

  @ParameterizedTest
  @EnumSource(names = {"EXPONENTIAL", "RING", "COMPLETE"})
  void theOthersGoOnWithoutARankThatDies(Graph graph) throws Exception {
    Gossip.Options options = Gossip.Options.of(graph, null, 3);
    double whole =
        Runs.train(4, plan(options), DATA, folder.resolve("whole"))
            .get(0)
            .summary()
            .orElseThrow()
            .validationLoss();
    List<Ending<TrainingResult>> ranks = trainUntilDeathOf(2, options);
    assertSurvived(ranks, List.of(0, 1, 3));
    double loss = ranks.get(0).result().summary().orElseThrow().validationLoss();
    assertEquals(whole, loss, 0.2 * whole, "about as well as with all");
  }

  /** Some of the others hear of the one first, some of the other. */
  @ParameterizedTest
  @ValueSource(booleans = {false, true})
  void theOthersGoOnWithoutTwoRanksThatDieAtOnce(boolean pushSum) throws Exception {
    Gossip.Options options = Gossip.Options.of(Graph.RING, null, 3);
    assertSurvived(
        new TrialGroup(Choice.AUTO, 5, 30, Duration.ofSeconds(100))
            .run(
                Conditions.QUIET,
                group ->
                    train(
                        group,
                        List.of(1, 3).contains(group.rank()) ? group.rank() : -1,
                        pushSum ? options.withPushSum() : options,
                        folder.resolve("two"))),
        List.of(0, 2, 4));
  }

  /** After one has died, another one does instead of forming a group with those who are left. */
  @ParameterizedTest
  @ValueSource(strings = {"shrink", "broadcast"})
  void theOthersGoOnWhereAnotherRankDiesWhileTheyFormAGroup(String operation) throws Exception {
    Gossip.Options options = Gossip.Options.of(Graph.RING, null, 3);
    assertSurvived(
        new TrialGroup(Choice.AUTO, 4, 10, Duration.ofSeconds(100))
            .run(
                Conditions.QUIET,
                group ->
                    train(
                        group.rank() == 2 ? dyingAt(operation, group, group::close) : group,
                        1,
                        options,
                        folder.resolve("meanwhile"))),
        List.of(0, 3));
  }

  /** A group that ends with its first shrink, or with an operation of the shrunken group. */
  private static Communicator dyingAt(String operation, Communicator group, Runnable end) {
    return (Communicator)
        Proxy.newProxyInstance(
            GossipTrainingTest.class.getClassLoader(),
            new Class<?>[] {Communicator.class},
            (self, method, arguments) -> {
              boolean shrinks = method.getName().equals("shrink");
              if (method.getName().equals(operation) && (shrinks || group.generation() > 0)) {
                group.close();
                end.run();
                throw new IllegalStateException("this rank dies in " + operation);
              }
              try {
                Object result = method.invoke(group, arguments);
                return shrinks ? dyingAt(operation, (Communicator) result, group::close) : result;
              } catch (InvocationTargetException e) {
                throw e.getCause();
              }
            });
  }

  private static void assertSurvived(List<Ending<TrainingResult>> ranks, List<Integer> survivors) {
    for (int rank : survivors) {
      TrainingResult result = ranks.get(rank).result();
      assertTrue(result != null, "rank " + rank + " ended with " + ranks.get(rank).failure());
      RunSummary summary = result.summary().orElseThrow();
      assertEquals(3, summary.epochs());
      assertEquals(survivors.size(), summary.worldSize(), "of those who are left");
      assertEquals(1, new HashSet<>(summary.parametersSha256()).size(), "they agree");
    }
  }

  /** On a graph on which weights are not 1: ranks 0 and 1 tell two others, rank 2 one. */
  @Test
  void aPushSumRunThatGoesOnHasTheBytesOfOneThatWasNotStopped() throws Exception {
    Gossip.Options options =
        Gossip.Options.of(Graph.USER, 1, 50, List.of("0-1", "1>2", "0>2", "2>0"), null, true);
    StrategyConfig strategy = StrategyConfig.of(options);
    Path whole = folder.resolve("uninterrupted");
    Path halves = folder.resolve("halves");
    Runs.train(3, Runs.Plan.of(4, Runs.MOMENTUM).strategy(strategy), DATA, whole);
    Runs.train(3, Runs.Plan.of(2, Runs.MOMENTUM).strategy(strategy), DATA, halves);
    Runs.Plan all = Runs.Plan.of(4, Runs.MOMENTUM).strategy(strategy);
    RankThreads.run(3, group -> Runs.train(all, DATA, group, halves, true));
    Map<String, ByteBuffer> expected = tensors(whole);
    assertEquals(expected, tensors(halves));
    List<Double> weights =
        Runs.checkpoint(halves).perRank().get("push_sum.weight").stream()
            .map(weight -> weight.data().duplicate().order(ByteOrder.LITTLE_ENDIAN).getDouble(0))
            .toList();
    assertEquals(3, weights.stream().mapToDouble(w -> w).sum(), 1e-12, "all ranks' " + weights);
    assertTrue(weights.stream().anyMatch(w -> Math.abs(w - 1) > 0.01), weights.toString());
  }

  private static Map<String, ByteBuffer> tensors(Path run) {
    Map<String, ByteBuffer> tensors = new TreeMap<>();
    Checkpoint checkpoint = Runs.checkpoint(run);
    checkpoint.tensors().forEach(tensor -> tensors.put(tensor.name(), tensor.data()));
    checkpoint
        .perRank()
        .forEach(
            (name, ranks) -> {
              for (int rank = 0; rank < ranks.size(); rank++) {
                tensors.put(name + " of rank " + rank, ranks.get(rank).data());
              }
            });
    return tensors;
  }

  @Test
  void theDeathOfTheRankThatKeepsTheRunsFolderEndsTheRun() {
    for (Ending<TrainingResult> rank :
        trainUntilDeathOf(0, Gossip.Options.of(Graph.RING, null, 3)).subList(1, 4)) {
      assertInstanceOf(CommunicationException.class, rank.failure());
    }
  }

  /** Four ranks, of which one leaves in the middle of the second epoch. */
  private List<Ending<TrainingResult>> trainUntilDeathOf(int rank, Gossip.Options options) {
    Path run = folder.resolve("death-" + rank);
    return new TrialGroup(Choice.AUTO, 4, 30, Duration.ofSeconds(100))
        .run(Conditions.QUIET, group -> train(group, rank, options, run));
  }

  private static TrainingResult train(
      Communicator group, int dies, Gossip.Options options, Path run) {
    TrainingListener listener =
        event -> {
          if (event instanceof StepDone done && done.steps() == 6 && group.rank() == dies) {
            group.close();
            throw new IllegalStateException("this rank dies");
          }
        };
    return Runs.job(plan(options), DATA, group, listener, run).run(false);
  }
}
