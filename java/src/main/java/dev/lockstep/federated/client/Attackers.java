package dev.lockstep.federated.client;

import dev.lockstep.data.Dataset;
import dev.lockstep.data.SplitMix64;
import dev.lockstep.federated.config.AttackConfig;
import dev.lockstep.federated.population.Streams;
import dev.lockstep.federated.population.Streams.Purpose;
import java.util.Arrays;
import java.util.Set;
import java.util.stream.Collectors;
import java.util.stream.IntStream;
import org.jspecify.annotations.Nullable;

/** The dishonest clients, drawn by the seed, and what they do. Immutable. */
public final class Attackers {
  private final @Nullable AttackConfig attack;
  private final int classes;
  private final long seed;
  private final Set<Integer> clients;

  /**
   * Draws them.
   *
   * @param attack null for none
   * @param all how many clients there are
   */
  public Attackers(@Nullable AttackConfig attack, int all, int classes, long seed) {
    this.attack = attack;
    this.classes = classes;
    this.seed = seed;
    clients = attack == null ? Set.of() : draw(attack.clients(), all, seed);
  }

  private static Set<Integer> draw(int count, int all, long seed) {
    long[] order = IntStream.range(0, all).asLongStream().toArray();
    Streams.of(seed, Purpose.ATTACK, 0, 0).shuffle(order);
    return Arrays.stream(order)
        .limit(count)
        .mapToObj(client -> (int) client)
        .collect(Collectors.toSet());
  }

  /** The data as a client trains on it. */
  public Dataset dataOf(int client, Dataset dataset) {
    return attack != null && attack.type().poisonsData() && clients.contains(client)
        ? new PoisonedDataset(dataset, attack, classes)
        : dataset;
  }

  /** What a client sends of its update. */
  public ClientUpdate sent(ClientUpdate trained, int client, int round) {
    if (attack == null || !clients.contains(client)) {
      return trained;
    }
    SplitMix64 random = Streams.of(seed, Purpose.ATTACK, round + 1L, client);
    double[] change = trained.change().clone();
    for (int i = 0; i < change.length; i++) {
      change[i] =
          switch (attack.type()) {
            case NOISE -> change[i] + attack.scale() * random.nextGaussian();
            case SIGN_FLIP -> -attack.scale() * change[i];
            case NAN -> Double.NaN;
            case LABEL_FLIP, BACKDOOR -> change[i];
          };
    }
    boolean finite = trained.finite();
    for (double value : change) {
      finite &= Math.abs(value) <= ClientUpdate.LARGEST;
    }
    return new ClientUpdate(trained.samples(), trained.steps(), trained.loss(), change, finite);
  }
}
