package dev.lockstep.train.strategy.server;

import dev.lockstep.comm.CommunicationException;
import dev.lockstep.comm.Communicator;
import dev.lockstep.comm.DataType;
import dev.lockstep.comm.NativeMemory;
import dev.lockstep.comm.Work;
import dev.lockstep.train.memory.FlatBuffers;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** A rank of another process: messages over channels, beside the collectives. */
final class RemoteCaller extends Caller {
  private static final Logger log = LoggerFactory.getLogger(RemoteCaller.class);

  private final Communicator group;
  private final SliceServer server;
  private final NativeMemory request;
  private final NativeMemory answer;
  private final NativeMemory notice;
  private final NativeMemory sign = NativeMemory.allocate(Long.BYTES);
  private @Nullable Work telling;
  private final List<Work> sending = new ArrayList<>();
  private final List<Work> receiving = new ArrayList<>();
  private int missing;

  RemoteCaller(int rank, Communicator group, SliceServer server, FlatBuffers data, int parameters) {
    super(rank, data);
    this.group = group;
    this.server = server;
    request = NativeMemory.allocate((long) Request.length(parameters) * Long.BYTES);
    answer = NativeMemory.allocate((long) Answer.length(group.size()) * Long.BYTES);
    notice = NativeMemory.allocate(answer.bytes());
  }

  @Override
  void listenForSigns() {
    receiving.removeIf(Work::isDone);
    Work work = group.channel(rank(), Tags.SIGN).receive(sign.span(0, 1, DataType.I64));
    receiving.add(work);
    when(
        work,
        () -> {
          server.signed(rank(), SignOfLife.read(sign));
          listenForSigns();
        });
  }

  @Override
  void listen() {
    receiving.removeIf(Work::isDone);
    Work work =
        group
            .channel(rank(), Tags.REQUEST)
            .receive(request.span(0, request.bytes() / Long.BYTES, DataType.I64));
    receiving.add(work);
    when(work, () -> server.requested(this, Request.read(request.buffer().asLongBuffer())));
  }

  @Override
  void receiveGradients() {
    receiving.removeIf(Work::isDone);
    settleSends();
    List<Work> gradients = new ArrayList<>();
    for (int g = 0; g < data().layout().groups().size(); g++) {
      if (data().layout().groups().get(g).count() > 0) {
        gradients.add(group.channel(rank(), Tags.GRADIENTS + g).receive(data().span(g)));
      }
    }
    receiving.addAll(gradients);
    missing = gradients.size();
    if (missing == 0) {
      server.received(this);
    }
    for (Work work : gradients) {
      when(work, this::oneReceived);
    }
  }

  private void oneReceived() {
    missing--;
    if (missing == 0) {
      server.received(this);
    }
  }

  @Override
  void answer(Answer given, boolean values) {
    settleSends();
    given.write(answer.buffer().asLongBuffer());
    send(
        group
            .channel(rank(), Tags.ANSWER)
            .send(answer.span(0, answer.bytes() / Long.BYTES, DataType.I64)));
    for (int g = 0; values && g < data().layout().groups().size(); g++) {
      if (data().layout().groups().get(g).count() > 0) {
        send(group.channel(rank(), Tags.VALUES + g).send(data().span(g)));
      }
    }
    listen();
  }

  /** Left out while the one before has not left: the rank takes in nothing. */
  @Override
  void tell(Answer said) {
    if (telling != null && !telling.isDone()) {
      return;
    }
    said.write(notice.buffer().asLongBuffer());
    Work work =
        group
            .channel(rank(), Tags.ANSWER)
            .send(notice.span(0, notice.bytes() / Long.BYTES, DataType.I64));
    telling = work;
    when(work, () -> {});
  }

  private void send(Work work) {
    sending.add(work);
    when(work, () -> {});
  }

  /** Waits for sends whose receiver has answered since: all of their memory has been read. */
  private void settleSends() {
    sending.forEach(Work::await);
    sending.clear();
  }

  @Override
  void flush(long until) {
    try {
      for (Work work : sending) {
        work.await(Duration.ofNanos(Math.max(0, until - System.nanoTime())));
      }
    } catch (CommunicationException e) {
      log.debug("Rank {} has not taken in its last answer.", rank(), e);
    }
  }

  /**
   * Has the server do something when a message has come, or take the rank for gone; nothing where
   * it does so already.
   */
  private void when(Work work, Runnable then) {
    work.completion()
        .whenComplete(
            (source, failure) ->
                server.tell(
                    () -> {
                      if (!server.serves(this)) {
                        return;
                      }
                      if (failure == null) {
                        then.run();
                      } else {
                        server.failed(this, failure);
                      }
                    }));
  }

  @Override
  public void close() {
    receiving.forEach(Work::cancel);
    request.close();
    answer.close();
    notice.close();
    sign.close();
    super.close();
  }
}
