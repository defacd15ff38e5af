package dev.lockstep.bench;

import dev.lockstep.comm.Communicator;
import dev.lockstep.comm.DataType;
import dev.lockstep.comm.ReduceOp;
import dev.lockstep.comm.Span;
import dev.lockstep.comm.Transfer;
import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.List;

/**
 * One case, ready to run on this rank: what it writes before an operation, the operation itself,
 * and what it reads after.
 */
final class Workload {
  private record Part(ByteBuffer bytes, Pattern pattern) {}

  private final List<Part> inputs = new ArrayList<>();
  private final List<Part> outputs = new ArrayList<>();
  private final Runnable operation;

  Workload(BenchCase parameters, Communicator group, BenchMemory first, BenchMemory second) {
    int ranks = group.size();
    int rank = group.rank();
    DataType type = parameters.type();
    ReduceOp op = parameters.op();
    Contents contents = new Contents(type, op, ranks);
    BenchMemory to = parameters.inPlace() ? first : second;
    long count = parameters.count(ranks);
    long part = count / ranks;
    switch (parameters.operation()) {
      case ALLREDUCE -> {
        input(first.view(0, count, type), contents.contribution(rank));
        output(to.view(0, count, type), contents.reduction());
        Span in = first.span(count, type);
        Span out = to.span(count, type);
        operation = () -> group.allReduce(in, out, op);
      }
      case BROADCAST -> {
        if (rank == 0) {
          input(first.view(0, count, type), contents.moved(0));
        }
        output(first.view(0, count, type), contents.moved(0));
        Span data = first.span(count, type);
        operation = () -> group.broadcast(data, 0);
      }
      case ALLGATHER -> {
        input(first.view(0, part, type), contents.moved(rank));
        for (int from = 0; from < ranks; from++) {
          output(to.view(from * part, part, type), contents.moved(from));
        }
        Span in = first.span(part, type);
        Span out = to.span(count, type);
        operation = () -> group.allGather(in, out);
      }
      case REDUCESCATTER -> {
        // Part r is rank r's, and each has the pattern from its beginning.
        for (int of = 0; of < ranks; of++) {
          input(first.view(of * part, part, type), contents.contribution(rank));
        }
        output(to.view(0, part, type), contents.reduction());
        Span in = first.span(count, type);
        Span out = to.span(part, type);
        operation = () -> group.reduceScatter(in, out, op);
      }
      case ALLTOALL -> {
        for (int other = 0; other < ranks; other++) {
          input(first.view(other * part, part, type), contents.moved(rank * ranks + other));
          output(to.view(other * part, part, type), contents.moved(other * ranks + rank));
        }
        Span in = first.span(count, type);
        Span out = to.span(count, type);
        operation = () -> group.allToAll(in, out);
      }
      case PINGPONG -> {
        if (rank < 2) {
          input(first.view(0, count, type), contents.moved(rank));
          output(to.view(0, count, type), contents.moved(1 - rank));
        }
        operation = pingPong(group, first.span(count, type), to.span(count, type));
      }
      case EXCHANGE -> {
        int next = (rank + 1) % ranks;
        int before = (rank + ranks - 1) % ranks;
        input(first.view(0, count, type), contents.moved(rank));
        output(to.view(0, count, type), contents.moved(before));
        List<Transfer> transfers =
            List.of(
                Transfer.receive(to.span(count, type), before, 0),
                Transfer.send(first.span(count, type), next, 0));
        operation = () -> group.exchange(transfers);
      }
      case BARRIER -> operation = group::barrier;
      default -> throw new IllegalStateException(parameters.operation().text());
    }
  }

  private static Runnable pingPong(Communicator group, Span send, Span receive) {
    return switch (group.rank()) {
      case 0 ->
          () -> {
            group.send(send, 1, 0);
            group.receive(receive, 1, 0);
          };
      case 1 ->
          () -> {
            group.receive(receive, 0, 0);
            group.send(send, 0, 0);
          };
      default -> () -> {};
    };
  }

  private void input(ByteBuffer bytes, Pattern pattern) {
    inputs.add(new Part(bytes, pattern));
  }

  private void output(ByteBuffer bytes, Pattern pattern) {
    outputs.add(new Part(bytes, pattern));
  }

  /** Rewrites this rank's inputs. */
  void write(int variant) {
    for (Part input : inputs) {
      input.pattern.write(input.bytes, variant);
    }
  }

  /** The timed part. */
  void run() {
    operation.run();
  }

  /** Reads all of this rank's results. @return wrong elements */
  long countErrors(int variant) {
    long errors = 0;
    for (Part output : outputs) {
      errors += output.pattern.countErrors(output.bytes, variant);
    }
    return errors;
  }
}
