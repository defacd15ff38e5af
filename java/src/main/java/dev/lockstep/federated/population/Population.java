package dev.lockstep.federated.population;

/** The clients from whom those of a round are drawn. */
public interface Population {
  /** How many there are, numbered from 0. */
  int count();

  /** Samples that a client has; 1 of one that has not said so yet. */
  int samples(int client);
}
