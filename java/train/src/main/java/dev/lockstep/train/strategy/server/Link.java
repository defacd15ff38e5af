package dev.lockstep.train.strategy.server;

import dev.lockstep.comm.DataType;
import dev.lockstep.comm.NativeMemory;
import dev.lockstep.comm.Transfer;
import dev.lockstep.train.memory.FlatBuffers;
import dev.lockstep.train.memory.ParameterRange;
import dev.lockstep.train.memory.Shard;
import java.util.ArrayList;
import java.util.List;

/** A worker's side of the messages with one server of another process. One thread. */
final class Link implements AutoCloseable {
  private final int server;
  private final List<Shard> shards;
  private final NativeMemory request;
  private final NativeMemory answer;

  /**
   * @param shards the server's, one for each flat buffer
   */
  Link(int server, List<Shard> shards, int parameters, int ranks) {
    this.server = server;
    this.shards = shards;
    request = NativeMemory.allocate((long) Request.length(parameters) * Long.BYTES);
    answer = NativeMemory.allocate((long) Answer.length(ranks) * Long.BYTES);
  }

  /** The messages of one request and its answer, which lands in the parameters. */
  List<Transfer> transfers(Request asked, FlatBuffers gradients, FlatBuffers parameters) {
    asked.write(request.buffer().asLongBuffer());
    List<Transfer> all = new ArrayList<>();
    all.add(
        Transfer.send(
            request.span(0, request.bytes() / Long.BYTES, DataType.I64), server, Tags.REQUEST));
    all.add(
        Transfer.receive(
            answer.span(0, answer.bytes() / Long.BYTES, DataType.I64), server, Tags.ANSWER));
    for (int g = 0; g < shards.size(); g++) {
      ParameterRange own = shards.get(g).own();
      if (own.count() == 0) {
        continue;
      }
      if (asked.carriesGradients()) {
        all.add(
            Transfer.send(gradients.span(g, own.from(), own.count()), server, Tags.GRADIENTS + g));
      }
      if (asked.kind() != Request.Kind.TICK) {
        all.add(
            Transfer.receive(parameters.span(g, own.from(), own.count()), server, Tags.VALUES + g));
      }
    }
    return all;
  }

  /** What the server said last. */
  Answer answer() {
    return Answer.read(answer.buffer().asLongBuffer());
  }

  @Override
  public void close() {
    request.close();
    answer.close();
  }
}
