package dev.lockstep.federated.aggregation;

import dev.lockstep.ConfigKeyException;
import dev.lockstep.federated.client.ClientUpdate;
import dev.lockstep.federated.privacy.SecureAggregation;
import dev.lockstep.federated.privacy.SecureAggregationException;
import dev.lockstep.federated.privacy.SecureAggregationServer;
import dev.lockstep.federated.privacy.SecureAggregationServer.Stage;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * The server's end of secure aggregation: of those who have trained it gets the sum alone. Each
 * rank of a simulation hears all messages and plays the server, so that all have the sum.
 */
public final class SecureSum implements Aggregation {
  private static final Logger log = LoggerFactory.getLogger(SecureSum.class);

  /** The clients, as the protocol talks to them. */
  public interface Stages {
    /**
     * A stage of secure aggregation; collective.
     *
     * @param messages to clients that have trained in this round, by the numbers of their
     *     assignments
     * @return answers, on all ranks, of those who have answered
     * @throws java.util.concurrent.CancellationException if the federation is to stop before
     */
    Map<Integer, byte[]> secureStage(int round, Map<Integer, byte[]> messages);
  }

  private final SecureEncoding encoding;
  private final Stages clients;
  private final PrivacyState state;
  private final @Nullable PrivateSum privateSum;
  private double[] weights = {};

  /**
   * @param privateSum adds noise to the sum; null for none
   */
  public SecureSum(
      SecureEncoding encoding,
      Stages clients,
      PrivacyState state,
      @Nullable PrivateSum privateSum) {
    this.encoding = encoding;
    this.clients = clients;
    this.state = state;
    this.privateSum = privateSum;
  }

  @Override
  public void begin(double[] ofClients) {
    weights = ofClients;
    if (weights.length == 0) {
      return;
    }
    try {
      encoding.checkRange(weights.length, terms(0));
    } catch (IllegalArgumentException e) {
      throw new ConfigKeyException(
          "privacy", "secure_aggregation cannot be had: " + e.getMessage());
    }
  }

  @Override
  public SecureEncoding.Terms terms(int number) {
    return new SecureEncoding.Terms(
        (long) weights[number],
        (long) Arrays.stream(weights).max().orElse(1),
        state.clipNorm().length == 0 ? 1 : state.clipNorm()[0]);
  }

  /** Nothing: the change stays with its client. */
  @Override
  public void add(int number, double weight, double effectiveSteps, ClientUpdate update) {}

  @Override
  public Optional<double[]> finish(Answers answers, int round) {
    List<Integer> numbers = answers.acceptedNumbers();
    long[] sum;
    try {
      sum = numbers.isEmpty() ? new long[0] : sum(numbers, round);
    } catch (SecureAggregationException | IllegalArgumentException e) {
      log.warn("Round {}: {} The model stays as it was.", round + 1, e.getMessage());
      sum = new long[0];
    }
    if (privateSum != null) {
      // A round without a sum is released, too: whether there was one is told by nothing.
      return Optional.of(privateSum.release(sum, round));
    }
    return sum.length == 0
        ? Optional.empty()
        : Optional.of(encoding.mean(sum, terms(numbers.get(0))));
  }

  /** The four stages; clients are numbered by their places among those who have trained. */
  private long[] sum(List<Integer> numbers, int round) {
    SecureAggregation settings = encoding.settings(numbers.size(), terms(numbers.get(0)));
    SecureAggregationServer server = new SecureAggregationServer(settings, round);
    Map<Integer, byte[]> messages = new TreeMap<>();
    for (int id = 0; id < numbers.size(); id++) {
      messages.put(id, SealedUpdate.invitation(numbers.size(), id));
    }
    while (server.stage() != Stage.REVEAL) {
      ask(server, numbers, messages, round);
      messages = server.closeStage();
    }
    ask(server, numbers, messages, round);
    return server.sum();
  }

  private void ask(
      SecureAggregationServer server,
      List<Integer> numbers,
      Map<Integer, byte[]> messages,
      int round) {
    Map<Integer, byte[]> byNumber = new TreeMap<>();
    messages.forEach((id, message) -> byNumber.put(numbers.get(id), message));
    clients
        .secureStage(round, byNumber)
        .forEach(
            (number, answer) -> {
              try {
                server.receive(numbers.indexOf(number), answer);
              } catch (SecureAggregationException e) {
                log.warn("Round {}: {} It is left out.", round + 1, e.getMessage());
              }
            });
  }
}
