package dev.lockstep.federated;

import static java.util.Objects.requireNonNull;

import dev.lockstep.ConfigKeyException;
import dev.lockstep.comm.Communicator;
import dev.lockstep.federated.aggregation.Aggregation;
import dev.lockstep.federated.aggregation.Answers;
import dev.lockstep.federated.aggregation.ControlVariates;
import dev.lockstep.federated.aggregation.GatheredChanges;
import dev.lockstep.federated.aggregation.PrivacySpent;
import dev.lockstep.federated.aggregation.PrivateSum;
import dev.lockstep.federated.aggregation.SecureEncoding;
import dev.lockstep.federated.aggregation.SecureSum;
import dev.lockstep.federated.aggregation.WeightedMean;
import dev.lockstep.federated.client.ClientUpdate;
import dev.lockstep.federated.client.ParameterVector;
import dev.lockstep.federated.config.AggregationConfig.Rule;
import dev.lockstep.federated.config.Algorithm;
import dev.lockstep.federated.config.FederationConfig;
import dev.lockstep.federated.config.FederationPlan;
import dev.lockstep.federated.population.Arrivals;
import dev.lockstep.federated.population.Assignment;
import dev.lockstep.federated.population.RoundPlan;
import dev.lockstep.federated.population.Selection;
import dev.lockstep.federated.population.Streams;
import dev.lockstep.federated.population.Streams.Purpose;
import dev.lockstep.federated.privacy.CanaryAudit;
import dev.lockstep.train.engine.Evaluator.Evaluation;
import java.util.Arrays;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.CancellationException;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * One round after the other, on all ranks together: whoever the clients are, simulated or at the
 * other ends of connections. Not thread-safe.
 */
final class Rounds {
  private static final Logger log = LoggerFactory.getLogger(Rounds.class);

  private final FederationPlan plan;
  private final FederationConfig config;
  private final Clients clients;
  private final Communicator communicator;
  private final ParameterVector vector;
  private final ServerScores scores;
  private final ServerState state;
  private final Selection selection;
  private final Aggregation aggregation;
  private final @Nullable ControlVariates controls;
  private final @Nullable PrivateSum privateSum;
  private @Nullable Arrivals arrivals;
  private final @Nullable RemoteBuffer buffer;

  Rounds(
      FederationPlan plan,
      Clients clients,
      Communicator communicator,
      ParameterVector vector,
      ServerScores scores,
      ServerState state) {
    this.plan = plan;
    this.clients = clients;
    this.communicator = communicator;
    this.vector = vector;
    this.scores = scores;
    this.state = state;
    config = plan.federation();
    selection = new Selection(config, clients, plan.seed());
    controls =
        config.algorithm() == Algorithm.SCAFFOLD
            ? new ControlVariates(
                state.control,
                state.clientControls,
                clients.count(),
                plan.optimizer().learningRate())
            : null;
    arrivals = arrivals();
    buffer = clients.buffer().orElse(null);
    privateSum = config.privacy() == null || !config.privacy().addsNoise() ? null : privateSum();
    aggregation =
        SecureEncoding.of(config, clients.count(), vector.length())
            .<Aggregation>map(
                encoding -> new SecureSum(encoding, clients, state.privacy, privateSum))
            .orElseGet(() -> privateSum == null ? aggregation() : privateSum);
  }

  private @Nullable Arrivals arrivals() {
    return config.algorithm() == Algorithm.FEDBUFF && clients.isSimulated()
        ? new Arrivals(config, clients, plan.seed())
        : null;
  }

  private Aggregation aggregation() {
    Rule rule = config.aggregation().rule();
    return rule == Rule.MEAN || rule == Rule.NORM_BOUND
        ? new WeightedMean(config, vector.length(), communicator)
        : new GatheredChanges(config.aggregation(), state.robust, vector.length(), communicator);
  }

  private PrivateSum privateSum() {
    if (vector.length() > vector.parameters()) {
      throw new ConfigKeyException(
          "privacy",
          "is not accounted for with the statistics of batch norms; use a model without them");
    }
    return new PrivateSum(config, clients.count(), vector.length(), state.privacy, communicator);
  }

  ServerState state() {
    return state;
  }

  /** Goes on where a checkpoint was written; collective. */
  void restore(FederationCheckpoint checkpoint) {
    checkpoint.read(state, clients.count());
    arrivals = arrivals();
    for (int round = 0; arrivals != null && round < state.rounds; round++) {
      arrivals.plan(round);
    }
  }

  /**
   * Has the clients of the next round train and steps the server's model; collective.
   *
   * @return empty if the federation is to stop before the round is over; the model is as it was
   */
  Optional<RoundReport> next() {
    long begin = System.nanoTime();
    int round = state.rounds;
    if (!clients.await(round)) {
      return Optional.empty();
    }
    Answers answers;
    RoundPlan planned;
    if (buffer == null) {
      planned = plan(round);
      answers = new Answers(planned.assignments().size(), communicator);
      if (!train(planned, answers)) {
        return Optional.empty();
      }
    } else {
      answers = new Answers(config.asynchronous().buffer(), communicator);
      Optional<RoundPlan> filled = fill(buffer, answers);
      if (filled.isEmpty()) {
        return Optional.empty();
      }
      planned = filled.get();
    }
    answers.exchange();
    if (controls != null) {
      controls.finishRound(communicator);
    }
    Optional<double[]> change;
    try {
      change = aggregation.finish(answers, round);
    } catch (CancellationException e) {
      return Optional.empty(); // within a stage of secure aggregation
    }
    if (answers.accepted() == 0 && planned.selected() > 0 && communicator.rank() == 0) {
      log.warn("Round {}: there is no answer that could be used.", round + 1);
    }
    change.ifPresent(this::step); // without one, an optimiser would go on by its old momentum
    state.rounds++;
    state.seconds = planned.seconds();
    if (arrivals != null) {
      state.bases.put(state.rounds, state.model.clone());
      state.bases.headMap(arrivals.oldestBase()).clear();
    }
    double norm = change.map(ParameterVector::norm).orElse(0.0);
    return Optional.of(report(planned, answers, norm, begin));
  }

  private RoundReport report(RoundPlan planned, Answers answers, double changeNorm, long begin) {
    boolean scored = state.rounds % config.evaluateEvery() == 0 || state.rounds == config.rounds();
    Evaluation evaluation = scored ? scores.evaluate(state.model) : Evaluation.none();
    int round = state.rounds - 1;
    return new RoundReport(
        state.rounds,
        planned.selected(),
        answers.answered(),
        answers.rejected(),
        answers.samples(),
        clients.bytes(planned),
        answers.meanLoss(),
        answers.lossSpread(),
        changeNorm,
        planned.assignments().stream().mapToInt(a -> round - a.base()).average().orElse(0),
        clients.isSimulated() ? state.seconds : Double.NaN,
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

  /** What canaries find of the mechanism; empty without privacy, or without canaries. */
  Optional<CanaryAudit.Result> audit() {
    return privateSum == null ? Optional.empty() : privateSum.audit(state.rounds);
  }

  /** The losses that power of choice asks for, by client; collective. */
  private Map<Integer, Double> candidateLosses(int round) {
    int[] candidates = selection.candidates(round);
    double[] losses = clients.losses(round, candidates, state.model);
    Map<Integer, Double> byClient = new HashMap<>();
    for (int i = 0; i < candidates.length; i++) {
      byClient.put(candidates[i], losses[i]);
    }
    return byClient;
  }

  private boolean train(RoundPlan planned, Answers answers) {
    List<Assignment> assignments = planned.assignments();
    // A client that comes back may have other data; a round counts what it had at the beginning.
    int[] samples = assignments.stream().mapToInt(a -> clients.samples(a.client())).toArray();
    double[] weights = new double[samples.length];
    Arrays.setAll(weights, i -> assignments.get(i).weight(samples[i]));
    aggregation.begin(weights);
    return clients.train(
        state.rounds,
        assignments,
        i -> work(assignments.get(i), i),
        (i, update) -> take(i, assignments.get(i), weights[i], update, answers));
  }

  /** FedBuff over a network: who takes part is known when all have answered. */
  private Optional<RoundPlan> fill(RemoteBuffer whose, Answers answers) {
    double[] weights = new double[config.asynchronous().buffer()];
    Arrays.fill(weights, 1); // the most that each may have
    aggregation.begin(weights);
    return whose
        .fill(
            state.rounds,
            state.model,
            (number, assignment, update) ->
                take(number, assignment, assignment.weight(update.samples()), update, answers))
        .map(arrived -> new RoundPlan(arrived, arrived.size(), 0, state.seconds));
  }

  private Clients.Work work(Assignment assignment, int number) {
    int client = assignment.client();
    // A client may be in FedBuff's buffer twice; its number tells the two trainings apart.
    long turn = arrivals == null ? 0 : number;
    return new Clients.Work(
        client,
        arrivals == null ? state.model : requireNonNull(state.bases.get(assignment.base())),
        controls == null ? null : controls.correction(client),
        Streams.seed(plan.seed(), Purpose.TRAINING, state.rounds + (turn << 32), client),
        aggregation.terms(number));
  }

  private void take(
      int number, Assignment assignment, double weight, ClientUpdate came, Answers answers) {
    boolean fits =
        controls == null || !came.finite() || controls.canAdd(came.change(), came.steps());
    ClientUpdate update = fits ? came : came.withoutChange(false);
    double effective =
        config.algorithm() == Algorithm.FEDNOVA ? plan.effectiveSteps(update.steps()) : 1;
    answers.put(number, update, weight, effective);
    if (!update.finite()) {
      log.warn(
          "Round {}: the {} of client {} is not finite or beyond {}; it is left out.",
          state.rounds + 1,
          fits ? "change" : "gradient",
          assignment.client(),
          ClientUpdate.LARGEST);
      return;
    }
    aggregation.add(number, weight, effective, update);
    if (controls != null) {
      controls.update(assignment.client(), update.change(), update.steps());
    }
  }

  /** Parameters take the server's step; statistics of batch norms take the mean itself. */
  private void step(double[] change) {
    int parameters = vector.parameters();
    for (int i = parameters; i < change.length; i++) {
      state.model[i] += change[i];
    }
    state.optimizer.step(state.model, Arrays.copyOf(change, parameters));
  }
}
