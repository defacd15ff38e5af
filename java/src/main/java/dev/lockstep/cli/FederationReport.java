package dev.lockstep.cli;

import dev.lockstep.comm.Communicator;
import dev.lockstep.config.FederateConfig;
import dev.lockstep.federated.FederationResult;
import dev.lockstep.federated.RoundReport;
import dev.lockstep.federated.aggregation.PrivacySpent;
import dev.lockstep.monitor.FitPlots;
import dev.lockstep.monitor.FitRecording;
import dev.lockstep.monitor.ValidationScores;
import java.io.PrintStream;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.TreeMap;
import java.util.stream.IntStream;

/** What a federation shows of its rounds and its end. */
final class FederationReport {
  private final FederateConfig config;
  private final FitRecording recording;
  private final long begin = System.nanoTime();
  private Map<String, Double> scores = Map.of();

  FederationReport(FederateConfig config, FitRecording recording) {
    this.config = config;
    this.recording = recording;
  }

  /** A line of the metrics. */
  void round(RoundReport round, int rounds) {
    Map<String, Double> values = new LinkedHashMap<>();
    if (round.scores().isPresent()) {
      scores = new LinkedHashMap<>();
      scores.put("loss", round.loss());
      scores.putAll(named(round.scores().get()));
      round.backdoorSuccess().ifPresent(share -> scores.put("backdoor_success", share));
      values.putAll(scores);
    }
    values.put("train_loss", round.trainLoss());
    values.put("train_loss_spread", round.lossSpread());
    values.put("selected", (double) round.selected());
    values.put("answered", (double) round.answered());
    values.put("dropped", (double) round.selected() - round.answered());
    values.put("rejected", (double) round.rejected());
    values.put("samples", (double) round.samples());
    values.put("bytes", (double) round.bytes());
    round.epsilon().ifPresent(epsilon -> values.put("epsilon", epsilon));
    values.put("change_norm", round.changeNorm());
    values.put("staleness", round.staleness());
    if (!Double.isNaN(round.simulatedSeconds())) {
      values.put("simulated_seconds", round.simulatedSeconds());
    }
    values.put("seconds", round.seconds());
    recording.step(round.round(), rounds, values);
  }

  private static Map<String, Double> named(ValidationScores scores) {
    Map<String, Double> named = new LinkedHashMap<>();
    scores.accuracy().ifPresent(accuracy -> named.put("accuracy", accuracy));
    scores.r2().forEach((target, value) -> named.put("r2_" + target, value));
    scores.rmse().forEach((target, value) -> named.put("rmse_" + target, value));
    return named;
  }

  /** Writes the summary, and prints it. */
  void finish(FederationResult result, Communicator group, PrintStream out) {
    double seconds = (System.nanoTime() - begin) / 1e9;
    recording.json("federation.json", partition(result));
    Map<String, Object> facts = new LinkedHashMap<>();
    facts.put("name", config.name());
    facts.put("model_sha256", result.modelSha256());
    facts.put("rounds", result.rounds());
    facts.put("clients", result.samples().size());
    facts.put("world_size", group.size());
    facts.put("backend", group.backend().toString());
    facts.put("total_seconds", seconds);
    recording.finish(facts, scores, plots(result));
    StringBuilder shown = new StringBuilder();
    result
        .privacy()
        .ifPresent(
            spent ->
                shown.append(
                    String.format(
                        Locale.ROOT,
                        "%n  epsilon %.6g at delta %.3g",
                        spent.epsilon(),
                        spent.delta())));
    result
        .audit()
        .ifPresent(
            audit ->
                shown.append(
                    String.format(
                        Locale.ROOT,
                        "%n  epsilon by audit at least %.6g: %d of %d guesses about %d canaries",
                        audit.epsilon(),
                        audit.correct(),
                        audit.guesses(),
                        audit.canaries())));
    scores.forEach(
        (name, value) -> shown.append(String.format(Locale.ROOT, "%n  %s %.6g", name, value)));
    out.printf(
        Locale.ROOT,
        "%d rounds of %d clients in %.2f s; the server's model on held-out samples:%s%n"
            + "Model in %s, SHA-256 of its parameters %s%n",
        result.rounds(),
        result.samples().size(),
        seconds,
        shown,
        config.folder().model(),
        result.modelSha256());
  }

  /** Partition and sampling as they were drawn from the seed, and what they gave. */
  private Map<String, Object> partition(FederationResult result) {
    Map<String, Object> json = new LinkedHashMap<>();
    json.put("seed", config.seed());
    json.put("partition", config.federation().partition());
    json.put("sampling", sampling(result.samples().size()));
    json.put("samples", result.samples());
    result
        .classCounts()
        .ifPresent(
            counts ->
                json.put(
                    "classes",
                    List.of(counts).stream()
                        .map(own -> IntStream.of(own).boxed().toList())
                        .toList()));
    result.privacy().ifPresent(spent -> json.put("privacy", privacy(spent)));
    result.audit().ifPresent(audit -> json.put("audit", audit));
    return json;
  }

  private Map<String, Object> sampling(int clients) {
    Map<String, Object> json = new LinkedHashMap<>();
    json.put("selection", config.federation().selection());
    json.put("clients", clients);
    json.put("per_round", config.federation().perRound(clients));
    return json;
  }

  private static Map<String, Object> privacy(PrivacySpent spent) {
    Map<String, Object> json = new LinkedHashMap<>();
    json.put("epsilon", spent.epsilon());
    json.put("delta", spent.delta());
    json.put("order", spent.order());
    json.put("clip_norm", spent.clipNorm());
    json.put("rounds", spent.ledger().entries());
    return json;
  }

  private Map<String, byte[]> plots(FederationResult result) {
    Map<String, byte[]> plots = new TreeMap<>();
    double[] rounds = recording.steps().stream().mapToDouble(FitRecording.Step::number).toArray();
    Map<String, double[]> curves = new LinkedHashMap<>();
    for (String name : scores.keySet()) {
      if (name.equals("accuracy") || name.startsWith("r2_") || name.equals("backdoor_success")) {
        curves.put(
            name,
            recording.steps().stream()
                .mapToDouble(step -> step.values().getOrDefault(name, Double.NaN))
                .toArray());
      }
    }
    byte[] scoreByRound = FitPlots.curves("Score by round", "round", "score", rounds, curves);
    if (scoreByRound.length > 0) {
      plots.put("score.png", scoreByRound);
    }
    result
        .classCounts()
        .ifPresent(counts -> plots.put("clients.png", FitPlots.classesOfClients(counts)));
    return plots;
  }
}
