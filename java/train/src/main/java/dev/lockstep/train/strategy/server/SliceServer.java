package dev.lockstep.train.strategy.server;

import dev.lockstep.comm.CollectiveTimeoutException;
import dev.lockstep.comm.CommunicationException;
import dev.lockstep.comm.Communicator;
import dev.lockstep.comm.CommunicatorClosedException;
import dev.lockstep.comm.PeerFailedException;
import dev.lockstep.train.memory.ControlWords.Word;
import java.util.ArrayList;
import java.util.BitSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;
import java.util.concurrent.CompletionException;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.function.Function;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * A server of one rank's part of the parameters, on a thread of its own, which takes one event
 * after the other: a request that has come, gradients that are there, a rank that is gone. Workers
 * wait for it without a deadline of their own as long as it says that it waits, too: it alone
 * judges which rank is silent.
 */
final class SliceServer implements AutoCloseable {
  private static final Logger log = LoggerFactory.getLogger(SliceServer.class);

  private final Serving serving;
  private final Communicator group;
  private final ServedSlice slice;
  private final LocalCaller local;
  private final UpdateRule rule;
  private final EventThread thread;
  private final Map<Integer, Caller> callers = new TreeMap<>();

  private final AgreedWords words;
  private final Silence silence = new Silence();
  private final Judgement judgement;
  private final List<Caller> ticking = new ArrayList<>();
  private final List<Caller> meeting = new ArrayList<>();
  private final List<Caller> held = new ArrayList<>();
  private final BitSet lost = new BitSet();
  private boolean paused;
  private final AtomicInteger pulses = new AtomicInteger();
  private volatile @Nullable RuntimeException failure;

  /**
   * Takes memory for every rank's gradients.
   *
   * @param group beside whose collectives the messages go
   * @param parameters how many tensors there are
   * @param rule makes the rule by which it answers
   */
  SliceServer(
      Serving serving,
      Communicator group,
      ServedSlice slice,
      int parameters,
      Function<SliceServer, UpdateRule> rule) {
    this.serving = serving;
    this.group = group;
    this.slice = slice;
    words = new AgreedWords(group.rank() == 0);
    judgement = new Judgement(serving, group.rank(), group.timeout(), silence);
    local = new LocalCaller(group.rank(), this, slice);
    for (int rank = 0; rank < group.size(); rank++) {
      callers.put(
          rank,
          rank == group.rank()
              ? local
              : new RemoteCaller(rank, group, this, slice.buffers(), parameters));
    }
    this.rule = rule.apply(this);
    thread =
        new EventThread(
            "lockstep-parameter-server-" + group.rank(), group.timeout(), this::pulse, this::fail);
    tell(() -> callers.values().forEach(Caller::listenForSigns));
    tell(() -> callers.values().forEach(Caller::listen));
  }

  /** Begins to answer. */
  void start() {
    thread.start();
  }

  LocalCaller local() {
    return local;
  }

  /** Why it serves no longer. */
  Optional<RuntimeException> failure() {
    return Optional.ofNullable(failure);
  }

  /** Has the server's thread do something, after what it has been told before. Any thread. */
  void tell(Runnable event) {
    thread.tell(event);
  }

  /** What fails is the end of serving; whoever asks after it is told so. */
  private void fail(RuntimeException why) {
    // Ranks leave at the end of a run; if it does go on, this rank's next request says why not.
    boolean ends =
        paused
            && (why instanceof PeerFailedException || why instanceof CommunicatorClosedException);
    if (ends || failure != null) {
      log.debug("The parameter server of rank {} has ended.", local.rank(), why);
    } else {
      log.error("The parameter server of rank {} has failed.", local.rank(), why);
    }
    refuse(why);
  }

  /** Another server has found a rank to be silent: those who ask this one are told so, too. */
  void passOn(CollectiveTimeoutException why) {
    tell(() -> refuse(why));
  }

  /** Tells all who ask, now and later, why they are not answered. */
  private void refuse(RuntimeException why) {
    if (failure != null) {
      return;
    }
    failure = why;
    for (int rank : silence.waiting()) {
      Caller caller = callers.get(rank);
      if (caller != null) {
        refuse(caller, why);
      }
    }
    local.fail(why);
  }

  private void refuse(Caller caller, RuntimeException why) {
    if (caller == local) {
      local.fail(why);
      return;
    }
    try {
      caller.answer(Answer.refusal(why, local.rank()), false);
    } catch (RuntimeException e) {
      // It hears of it when this rank leaves.
      log.debug("Rank {} cannot be told that its server has failed.", caller.rank(), e);
    }
  }

  /** Lets those who wait know that it is there, and looks whom they have waited for too long. */
  void pulse() {
    pulses.incrementAndGet();
    if (failure != null) {
      return;
    }
    for (int rank : judgement.pulse(expected(), paused, callers.values())) {
      Caller caller = callers.get(rank);
      if (caller != null) {
        lose(caller, Silence.stopped(rank, local.rank(), group.timeout()));
      }
    }
    for (int rank : silence.waiting()) {
      Caller caller = callers.get(rank);
      if (caller != null) {
        caller.tell(Answer.none(Answer.Kind.WAITING, local.rank()));
      }
    }
  }

  /** A rank has said that it is there. */
  void signed(int rank, SignOfLife.Of what) {
    if (what == SignOfLife.Of.STEPS) {
      silence.stepped(rank);
    } else if (callers.containsKey(rank)) {
      silence.runs(rank);
    }
  }

  /** Pulses since it began, for whoever is to give signs as often. Any thread. */
  int pulses() {
    return pulses.get();
  }

  /** Whether a rank is one of those that are served: events of others come too late. */
  boolean serves(Caller caller) {
    return callers.get(caller.rank()) == caller;
  }

  /** Ranks that only serve ask rank 0's server alone, until the ranks meet. */
  private List<Integer> expected() {
    if (paused) {
      return List.of(local.rank());
    }
    boolean all = local.rank() == 0 || !meeting.isEmpty();
    return callers.keySet().stream().filter(rank -> all || serving.works(rank)).toList();
  }

  /** Whether a pulse has passed since anything was heard of a rank that is to ask; for tests. */
  boolean isQuiet(int rank) {
    return silence.isQuiet(rank);
  }

  /** Whether a rank has asked, and waits for an answer; for tests. */
  boolean hasRequestOf(int rank) {
    return silence.hasReceived(rank);
  }

  /** A rank asks. */
  void requested(Caller caller, Request request) {
    RuntimeException why = failure;
    if (why != null) {
      refuse(caller, why);
      return;
    }
    caller.request(request);
    silence.asked(caller.rank());
    words.began(caller.rank(), request.clock());
    words.say(request.words());
    if (request.carriesGradients()) {
      caller.receiveGradients();
    } else {
      received(caller);
    }
  }

  /** All of a request is there. */
  void received(Caller caller) {
    if (failure != null) {
      return;
    }
    Request.Kind kind = caller.request().kind();
    silence.received(caller.rank(), kind != Request.Kind.TICK);
    if (paused && kind != Request.Kind.MEET) {
      held.add(caller);
      return;
    }
    switch (kind) {
      case PUSH -> rule.pushed(caller);
      case TICK -> ticking.add(caller);
      case MEET -> meeting.add(caller);
    }
    answerTicks();
    meet();
  }

  /** A message of a rank has failed. */
  void failed(Caller caller, Throwable how) {
    Throwable cause =
        how instanceof CompletionException && how.getCause() != null ? how.getCause() : how;
    if (failure != null || !callers.containsKey(caller.rank())) {
      return;
    }
    boolean gone = cause instanceof PeerFailedException;
    if (!gone || !serving.canLose(caller.rank())) {
      throw cause instanceof RuntimeException unchecked
          ? unchecked
          : new IllegalStateException(cause);
    }
    lose(caller, (PeerFailedException) cause);
  }

  /**
   * The others go on without a rank.
   *
   * @param why ends serving if no worker is left
   */
  private void lose(Caller caller, CommunicationException why) {
    callers.remove(caller.rank());
    words.left(caller.rank());
    silence.done(caller.rank());
    silence.left(caller.rank());
    lost.set(caller.rank());
    if (working() == 0) {
      throw why;
    }
    if (local.rank() == 0) {
      log.warn("Rank {} is gone; the others go on without it. {}", caller.rank(), why.getMessage());
    }
    words.say(AgreedWords.bit(Word.REGROUP));
    for (List<Caller> list : List.of(ticking, meeting, held)) {
      list.remove(caller);
    }
    rule.left(caller);
    caller.close();
    answerTicks();
    meet();
  }

  /** Workers that are there. */
  int working() {
    return (int) callers.keySet().stream().filter(serving::works).count();
  }

  /** Answers a worker's push with the values as they are now. */
  void answer(Caller worker, long next) {
    slice.copyValues(worker.data());
    answerWithData(worker, next);
  }

  /** Answers a worker's push with what its data hold. */
  void answerWithData(Caller worker, long next) {
    words.began(worker.rank(), next);
    give(worker, words.answer(next, lost));
  }

  private void give(Caller caller, Answer answer) {
    caller.readVersion(slice.version());
    silence.done(caller.rank());
    caller.answer(answer, true);
  }

  /** A rank that only serves is never ahead of the fastest worker. */
  private void answerTicks() {
    for (Caller caller : List.copyOf(ticking)) {
      long next = caller.request().clock() + 1;
      if (next <= rule.fastest()) {
        ticking.remove(caller);
        silence.done(caller.rank());
        words.began(caller.rank(), next);
        caller.answer(words.answer(next, lost), false);
      }
    }
  }

  /** When all are there, gives them the parameters, and pauses until this rank goes on. */
  private void meet() {
    if (meeting.isEmpty() || meeting.size() < callers.size()) {
      return;
    }
    long said = words.takeAll();
    paused = true;
    silence.forget();
    List<Caller> all = List.copyOf(meeting);
    meeting.clear();
    for (Caller caller : all) {
      slice.copyValues(caller.data());
      give(caller, new Answer(caller.request().clock(), Answer.NONE, said, lost));
    }
  }

  /** What {@link #meet} has paused goes on. */
  void resume() {
    if (failure != null) {
      return;
    }
    paused = false;
    silence.forget();
    List<Caller> all = List.copyOf(held);
    held.clear();
    all.forEach(this::received);
  }

  @Override
  public void close() {
    thread.end();
    if (failure != null) {
      long until = System.nanoTime() + Silence.pulseNanos(group.timeout());
      callers.values().forEach(caller -> caller.flush(until));
    }
    callers.values().forEach(Caller::close);
  }
}
