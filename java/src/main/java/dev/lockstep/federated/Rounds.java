package dev.lockstep.federated;

import dev.lockstep.ConfigKeyException;
import dev.lockstep.comm.Communicator;
import dev.lockstep.comm.ReduceOp;
import dev.lockstep.data.Dataset;
import dev.lockstep.data.Normalizer;
import dev.lockstep.data.Split;
import dev.lockstep.federated.AggregationConfig.Rule;
import dev.lockstep.federated.FederationConfig.Algorithm;
import dev.lockstep.federated.Streams.Purpose;
import dev.lockstep.files.Sha256;
import dev.lockstep.train.engine.Evaluator.Evaluation;
import java.nio.ByteBuffer;
import java.security.MessageDigest;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Comparator;
import java.util.List;
import java.util.Optional;
import java.util.TreeMap;
import java.util.stream.IntStream;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** One round after the other, on all ranks together. Not thread-safe. */
final class Rounds {
  private static final Logger log = LoggerFactory.getLogger(Rounds.class);

  private final FederationPlan plan;
  private final FederationConfig config;
  private final Dataset dataset;
  private final Partition partition;
  private final Communicator communicator;
  private final ClientTrainer trainer;
  private final ServerScores scores;
  private final Attackers attackers;
  private final ServerState state;
  private final Selection selection;
  private final @Nullable ControlVariates controls;
  private final @Nullable PrivateSum privateSum;
  private @Nullable Arrivals arrivals;

  Rounds(
      FederationPlan plan,
      Dataset dataset,
      Split split,
      Partition partition,
      int classes,
      Communicator communicator,
      ClientTrainer trainer,
      Normalizer.Pair normalizers) {
    this.plan = plan;
    this.dataset = dataset;
    this.partition = partition;
    this.communicator = communicator;
    this.trainer = trainer;
    config = plan.federation();
    scores = new ServerScores(plan, dataset, split, classes, communicator, trainer, normalizers);
    attackers = new Attackers(config.attack(), partition.clients(), classes, plan.seed());
    state = new ServerState(config, trainer.vector().read(), trainer.vector().parameters());
    selection = new Selection(config, partition, plan.seed());
    controls =
        config.algorithm() == Algorithm.SCAFFOLD
            ? new ControlVariates(state, partition.clients(), plan.optimizer().learningRate())
            : null;
    arrivals =
        config.algorithm() == Algorithm.FEDBUFF
            ? new Arrivals(config, partition, plan.seed())
            : null;
    privateSum = config.privacy() == null ? null : privateSum();
  }

  private PrivateSum privateSum() {
    ParameterVector vector = trainer.vector();
    if (vector.length() > vector.parameters()) {
      throw new ConfigKeyException(
          "privacy",
          "is not accounted for with the statistics of batch norms; use a model without them");
    }
    return new PrivateSum(config, partition.clients(), vector.length(), plan.seed(), state);
  }

  ServerState state() {
    return state;
  }

  /** Goes on where a checkpoint was written; collective. */
  void restore(FederationCheckpoint checkpoint) {
    checkpoint.read(state, partition.clients());
    if (arrivals != null) {
      arrivals = new Arrivals(config, partition, plan.seed());
      for (int round = 0; round < state.rounds; round++) {
        arrivals.plan(round);
      }
    }
  }

  String modelSha256() {
    ByteBuffer bytes = ByteBuffer.allocate(state.model.length * Double.BYTES);
    bytes.asDoubleBuffer().put(state.model);
    MessageDigest digest = Sha256.digest();
    digest.update(bytes.array());
    return Sha256.hexadecimal(digest);
  }

  /** Trains the clients of the next round and steps the server's model; collective. */
  RoundReport next() {
    long begin = System.nanoTime();
    int round = state.rounds;
    RoundPlan planned = plan(round);
    Answers answers = new Answers(planned.assignments(), communicator);
    double[] change = combine(planned, answers);
    step(change);
    state.rounds++;
    state.seconds = planned.seconds();
    if (arrivals != null) {
      state.bases.put(state.rounds, state.model.clone());
      state.bases.headMap(arrivals.oldestBase()).clear();
    }
    boolean scored = state.rounds % config.evaluateEvery() == 0 || state.rounds == config.rounds();
    Evaluation evaluation = scored ? scores.evaluate(state.model) : Evaluation.none();
    return new RoundReport(
        state.rounds,
        planned.selected(),
        planned.assignments().size(),
        answers.rejected(),
        answers.samples(),
        4L * trainer.vector().length() * (planned.selected() + planned.assignments().size()),
        answers.meanLoss(),
        answers.lossSpread(),
        norm(change),
        planned.assignments().stream().mapToInt(a -> round - a.base()).average().orElse(0),
        state.seconds,
        (System.nanoTime() - begin) / 1e9,
        evaluation.loss(),
        scored ? Optional.of(evaluation.scores()) : Optional.empty(),
        scored ? scores.backdoorSuccess(state.model) : Optional.empty(),
        privacySpent().map(PrivacySpent::epsilon));
  }

  private RoundPlan plan(int round) {
    if (arrivals != null) {
      return arrivals.plan(round);
    }
    return privateSum != null
        ? selection.planOf(round, state.seconds, privateSum.draw(round))
        : selection.plan(round, state.seconds, candidateLosses(round)::get);
  }

  /** What is known about clients now; empty without privacy. */
  Optional<PrivacySpent> privacySpent() {
    return privateSum == null || state.rounds == 0
        ? Optional.empty()
        : Optional.of(privateSum.spent(state.rounds));
  }

  /** The losses that power of choice asks for, by client; collective. */
  private TreeMap<Integer, Double> candidateLosses(int round) {
    int[] candidates = selection.candidates(round);
    double[] losses = new double[candidates.length];
    for (int i = communicator.rank(); i < candidates.length; i += communicator.size()) {
      losses[i] = trainer.loss(dataset, partition.samples(candidates[i]), state.model);
    }
    losses = candidates.length == 0 ? losses : communicator.allReduce(losses, ReduceOp.SUM);
    TreeMap<Integer, Double> byClient = new TreeMap<>();
    for (int i = 0; i < candidates.length; i++) {
      byClient.put(candidates[i], losses[i]);
    }
    return byClient;
  }

  /** Which rank trains what: SCAFFOLD's clients have a home, others go where the least is to do. */
  private int[] ranks(List<Assignment> assignments) {
    int[] rank = new int[assignments.size()];
    if (controls != null) {
      Arrays.setAll(rank, i -> assignments.get(i).client() % communicator.size());
      return rank;
    }
    long[] load = new long[communicator.size()];
    IntStream.range(0, rank.length)
        .boxed()
        .sorted(Comparator.comparingInt(i -> -partition.size(assignments.get(i).client())))
        .forEach(
            i -> {
              for (int r = 1; r < load.length; r++) {
                rank[i] = load[r] < load[rank[i]] ? r : rank[i];
              }
              load[rank[i]] += partition.size(assignments.get(i).client());
            });
    return rank;
  }

  /** Trains this rank's clients and joins all changes to one; collective. */
  private double[] combine(RoundPlan planned, Answers answers) {
    List<Assignment> assignments = planned.assignments();
    int[] ranks = ranks(assignments);
    Rule rule = config.aggregation().rule();
    boolean mean = rule == Rule.MEAN || rule == Rule.NORM_BOUND;
    double most = assignments.stream().mapToDouble(a -> a.weight(partition.size(a.client()))).sum();
    FixedPointSum sum = new FixedPointSum(mean ? trainer.vector().length() : 0);
    List<double[]> kept = new ArrayList<>();
    for (int i = 0; i < ranks.length; i++) {
      if (ranks[i] != communicator.rank()) {
        continue;
      }
      Assignment assignment = assignments.get(i);
      ClientUpdate update = train(assignment, i);
      double effective =
          config.algorithm() == Algorithm.FEDNOVA ? plan.effectiveSteps(update.steps()) : 1;
      answers.put(i, update, assignment.weight(update.samples()), effective);
      if (!update.finite()) {
        continue;
      }
      if (privateSum != null) {
        privateSum.add(update.change());
      } else if (mean) {
        double share = assignment.weight(update.samples()) / most / effective;
        sum.add(share * shortening(update.change()), update.change());
      } else {
        kept.add(numbered(i, update.change()));
      }
      if (controls != null) {
        controls.update(assignment.client(), update.change(), update.steps());
      }
    }
    answers.exchange();
    if (controls != null) {
      controls.finishRound(communicator);
    }
    if (privateSum != null) {
      return privateSum.release(communicator, state.rounds);
    }
    if (mean) {
      sum.reduce(communicator);
      return answers.accepted() == 0 ? new double[state.model.length] : scaled(sum, most, answers);
    }
    return robust(kept, answers);
  }

  /** Divides by what the accepted clients weigh; FedBuff's paper divides by their number. */
  private double[] scaled(FixedPointSum sum, double most, Answers answers) {
    double all = config.algorithm() == Algorithm.FEDBUFF ? answers.accepted() : answers.weight();
    return sum.times(most / all * answers.meanEffectiveSteps());
  }

  /** Of a change that norm_bound shortens. */
  private double shortening(double[] change) {
    if (config.aggregation().rule() != Rule.NORM_BOUND) {
      return 1;
    }
    return Math.min(1, config.aggregation().radius() / Math.max(norm(change), Double.MIN_NORMAL));
  }

  private static double[] numbered(int number, double[] change) {
    double[] all = new double[change.length + 1];
    all[0] = number;
    System.arraycopy(change, 0, all, 1, change.length);
    return all;
  }

  /** All ranks get all changes, in the order of the assignments. */
  private double[] robust(List<double[]> kept, Answers answers) {
    int stride = state.model.length + 1;
    double[] own = kept.stream().flatMapToDouble(Arrays::stream).toArray();
    double[] all = communicator.allGather(own);
    TreeMap<Integer, double[]> changes = new TreeMap<>();
    for (int from = 0; from < all.length; from += stride) {
      changes.put((int) all[from], Arrays.copyOfRange(all, from + 1, from + stride));
    }
    int fewest = config.aggregation().fewest();
    if (changes.size() < fewest) {
      log.warn(
          "Round {}: {} usable changes, but {} with faulty: {} needs {}; the model stays as it was.",
          state.rounds + 1,
          changes.size(),
          config.aggregation().rule(),
          config.aggregation().faulty(),
          fewest);
      return new double[state.model.length];
    }
    return state.robust.combine(List.copyOf(changes.values()));
  }

  private ClientUpdate train(Assignment assignment, int number) {
    int client = assignment.client();
    double[] base = arrivals == null ? state.model : state.bases.get(assignment.base());
    // A client may be in FedBuff's buffer twice; its number tells the two trainings apart.
    long turn = arrivals == null ? 0 : number;
    ClientUpdate trained =
        trainer.train(
            attackers.dataOf(client, dataset),
            partition.samples(client),
            base,
            controls == null ? null : controls.correction(client),
            Streams.seed(plan.seed(), Purpose.TRAINING, state.rounds + (turn << 32), client));
    ClientUpdate update = attackers.sent(trained, client, state.rounds);
    if (!update.finite()) {
      log.warn(
          "Round {}: the change of client {} is not finite or beyond {}; it is left out.",
          state.rounds + 1,
          client,
          FixedPointSum.LARGEST);
    }
    return update;
  }

  /** Parameters take the server's step; statistics of batch norms take the mean itself. */
  private void step(double[] change) {
    int parameters = trainer.vector().parameters();
    for (int i = parameters; i < change.length; i++) {
      state.model[i] += change[i];
    }
    state.optimizer.step(state.model, Arrays.copyOf(change, parameters));
  }

  private static double norm(double[] vector) {
    double sum = 0;
    for (double value : vector) {
      sum += value * value;
    }
    return Math.sqrt(sum);
  }
}
