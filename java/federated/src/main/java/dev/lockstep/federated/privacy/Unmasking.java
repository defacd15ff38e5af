package dev.lockstep.federated.privacy;

import static java.util.Objects.requireNonNull;

import dev.lockstep.federated.privacy.SecureAggregationException.Reason;
import java.util.Arrays;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;

/**
 * Rebuilds seeds and mask keys from the shares of a round and takes their masks off the sum. A
 * client has sent commitment and public key of what it shared, so that wrong shares are seen.
 */
final class Unmasking {
  private final SecureAggregation settings;
  private final long round;
  private final Map<Integer, Member> members;
  private final Set<Integer> survivors;

  Unmasking(
      SecureAggregation settings,
      long round,
      Map<Integer, Member> members,
      Set<Integer> survivors) {
    this.settings = settings;
    this.round = round;
    this.members = members;
    this.survivors = survivors;
  }

  void apply(long[] sum) {
    members.forEach(
        (client, member) -> {
          byte[] secret = secret(client, member);
          if (survivors.contains(client)) {
            takeOffSeedMask(sum, client, member, secret);
          } else {
            takeOffPairMasks(sum, client, member, secret);
          }
        });
  }

  private byte[] secret(int client, Member member) {
    Map<Integer, byte[]> enough = new TreeMap<>();
    member.revealed.entrySet().stream()
        .limit(settings.threshold())
        .forEach(entry -> enough.put(entry.getKey(), entry.getValue()));
    return ShamirSharing.secret(enough).orElseThrow(() -> wrongShares(client));
  }

  private void takeOffSeedMask(long[] sum, int client, Member member, byte[] seed) {
    if (!Commitment.fits(member.seedCommitment, seed)) {
      throw wrongShares(client);
    }
    Masks.add(sum, seed, true, settings.wordBytes());
  }

  /** Of a client that sent nothing the sum has only what the survivors put in for it. */
  private void takeOffPairMasks(long[] sum, int lost, Member member, byte[] privateKey) {
    try (KeyPair keys = KeyPair.of(privateKey)) {
      Arrays.fill(privateKey, (byte) 0);
      if (!Arrays.equals(keys.publicKey(), member.maskPublicKey)) {
        throw wrongShares(lost);
      }
      for (int survivor : survivors) {
        byte[] key =
            keys.keyWith(requireNonNull(members.get(survivor)).maskPublicKey, "mask", round)
                .orElseThrow(() -> wrongShares(survivor));
        boolean survivorAdded = survivor < lost;
        Masks.add(sum, key, survivorAdded, settings.wordBytes());
      }
    }
  }

  private static SecureAggregationException wrongShares(int client) {
    return new SecureAggregationException(
        Reason.WRONG_SHARE,
        client,
        "The shares that client "
            + client
            + " dealt are not of the secret that it committed to; repeat the round without it.");
  }
}
