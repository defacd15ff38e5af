package dev.lockstep.federated.privacy;

import java.util.Map;
import java.util.TreeMap;

/** What the server has of a client. */
final class Member {
  final byte[] maskPublicKey;
  final byte[] sharePublicKey;
  byte[] seedCommitment = {};

  /** By whom they are for: commitments of the seed's and the mask key's share, both encrypted. */
  final Map<Integer, byte[][]> shares = new TreeMap<>();

  /** By who revealed them: shares of the seed or of the mask key, never of both. */
  final Map<Integer, byte[]> revealed = new TreeMap<>();

  Member(byte[] maskPublicKey, byte[] sharePublicKey) {
    this.maskPublicKey = maskPublicKey;
    this.sharePublicKey = sharePublicKey;
  }
}
