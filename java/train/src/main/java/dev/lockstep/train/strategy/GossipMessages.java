package dev.lockstep.train.strategy;

import dev.lockstep.comm.Communicator;
import dev.lockstep.comm.PeerFailedException;
import dev.lockstep.comm.Span;
import dev.lockstep.comm.Work;
import dev.lockstep.train.memory.FlatBuffers;
import dev.lockstep.train.memory.FlatLayout;
import java.util.ArrayList;
import java.util.BitSet;
import java.util.List;

/**
 * The messages of an exchange between neighbours: flat buffers, and under push-sum a weight behind
 * them. Notes to whom messages fail. One thread.
 */
final class GossipMessages {
  /** Tags from here on, one for each part of a message. */
  private static final int FIRST_TAG = 20_000;

  private final Communicator group;

  /** What comes from each of those that this rank hears of at once. */
  private final List<FlatBuffers> heard = new ArrayList<>();

  private final List<FlatBuffers> weights = new ArrayList<>();
  private final BitSet gone = new BitSet();

  /**
   * Takes the memory, which the context owns.
   *
   * @param senders of how many ranks this one hears at once
   * @param weighted whether weights follow
   */
  GossipMessages(RoleContext context, FlatLayout layout, int senders, boolean weighted) {
    group = context.communicator();
    for (int i = 0; i < senders; i++) {
      heard.add(context.own(new FlatBuffers(layout, group::allocate)));
      if (weighted) {
        weights.add(context.own(PushSum.newWeight()));
      }
    }
  }

  /** Ranks to whom messages fail. */
  BitSet gone() {
    return gone;
  }

  /** By sender, what has come last. */
  List<FlatBuffers> heard() {
    return heard;
  }

  /** By sender, the weight that has come last, if any do. */
  List<FlatBuffers> weights() {
    return weights;
  }

  /**
   * Tells and hears all peers at once.
   *
   * @param told this rank's buffers, in the layout of the others'
   */
  void exchange(GossipPeers peers, List<FlatBuffers> told) {
    List<Work> works = new ArrayList<>();
    List<Integer> others = new ArrayList<>();
    for (int i = 0; i < peers.from().length; i++) {
      int from = peers.from()[i];
      List<Span> into =
          spans(weights.isEmpty() ? List.of(heard.get(i)) : List.of(heard.get(i), weights.get(i)));
      for (int part = 0; part < into.size() && !gone.get(from); part++) {
        others.add(from);
        works.add(group.channel(from, FIRST_TAG + part).receive(into.get(part)));
      }
    }
    List<Span> parts = spans(told);
    for (int to : peers.to()) {
      for (int part = 0; part < parts.size() && !gone.get(to); part++) {
        others.add(to);
        works.add(group.channel(to, FIRST_TAG + part).send(parts.get(part)));
      }
    }
    try {
      for (int i = 0; i < works.size(); i++) {
        try {
          works.get(i).await();
        } catch (PeerFailedException e) {
          gone.set(others.get(i));
        }
      }
    } finally {
      works.forEach(Work::cancel);
    }
  }

  private static List<Span> spans(List<FlatBuffers> flats) {
    List<Span> spans = new ArrayList<>();
    for (FlatBuffers flat : flats) {
      for (int g = 0; g < flat.layout().groups().size(); g++) {
        spans.add(flat.span(g));
      }
    }
    return spans;
  }
}
