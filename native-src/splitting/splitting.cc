#include "splitting/splitting.h"

#include <utility>

#include "splitting/framed_splitting.h"

namespace lockstep::splitting {
namespace {

std::unique_ptr<Splitting> make_form(std::shared_ptr<Communicator> group, const Network& network,
                                     const Options& options) {
  return options.form == Form::DENSE ? make_dense(std::move(group), network, options)
                                     : make_sparse(std::move(group), network, options);
}

}  // namespace

std::unique_ptr<Splitting> make_splitting(std::shared_ptr<Communicator> group, const Network& network,
                                          const Options& options) {
  const Frame frame = Frame::of(network);
  if (frame.is_callers()) return make_form(std::move(group), network, options);
  return std::make_unique<FramedSplitting>(frame, make_form(std::move(group), frame.enter(network), options));
}

}  // namespace lockstep::splitting
