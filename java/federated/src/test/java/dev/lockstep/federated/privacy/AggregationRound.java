package dev.lockstep.federated.privacy;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.TreeMap;
import java.util.stream.IntStream;

/** All clients and the server of a round of secure aggregation, in one thread. */
final class AggregationRound {
  static final long ROUND = 7;

  final SecureAggregation settings;
  final SecureAggregationServer server;
  final List<SecureAggregationClient> clients = new ArrayList<>();
  final List<long[]> inputs = new ArrayList<>();

  /** What the server sent last, to those that are still there. */
  Map<Integer, byte[]> inbox = new TreeMap<>();

  AggregationRound(SecureAggregation settings, long seed) {
    this.settings = settings;
    server = new SecureAggregationServer(settings, ROUND);
    Random random = new Random(seed);
    for (int id = 0; id < settings.clients(); id++) {
      long source = seed * 10_007 + id;
      clients.add(new SecureAggregationClient(settings, ROUND, id, new SeededSecureRandom(source)));
      long most = settings.maxMagnitude();
      inputs.add(
          IntStream.range(0, settings.length())
              .mapToLong(i -> i == 0 ? most : i == 1 ? -most : random.nextLong() % most)
              .toArray());
      inbox.put(id, new byte[0]);
    }
  }

  /** What a client sends in the present stage. */
  byte[] answer(int id) {
    SecureAggregationClient client = clients.get(id);
    byte[] received = inbox.get(id);
    return switch (server.stage()) {
      case ADVERTISE -> client.advertise();
      case SHARE -> client.share(received);
      case MASK -> client.mask(received, inputs.get(id));
      case REVEAL -> client.reveal(received);
      case DONE -> throw new IllegalStateException("The round is over.");
    };
  }

  /** Lets all but these answer, and closes the stage unless it is the last. */
  void stage(int... lost) {
    for (int id : inbox.keySet()) {
      if (Arrays.stream(lost).noneMatch(one -> one == id)) {
        server.receive(id, answer(id));
      }
    }
    if (server.stage() != SecureAggregationServer.Stage.REVEAL) {
      inbox = server.closeStage();
    }
  }

  long[] plainSum(Iterable<Integer> ids) {
    long[] sum = new long[settings.length()];
    for (int id : ids) {
      Arrays.setAll(sum, i -> sum[i] + inputs.get(id)[i]);
    }
    return sum;
  }
}
