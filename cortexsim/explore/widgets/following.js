// anywidget waits 2 s for the code of a widget, and drops every message of the kernel to a widget whose code came later,
// as it does in a busy browser: it is drawn, and then no longer follows.

const NOTHING = { content: { data: { method: "nothing" } } };

async function follow(model) {
  const own = await model.widget_manager?.get_model(model.get("own_id"));
  // a saved notebook has no kernel, and another front end may have other models
  const handler = own && Object.getPrototypeOf(own.constructor.prototype)._handle_comm_msg;
  if (!own?.comm || !handler) return;
  try {
    await own._handle_comm_msg(NOTHING);
  } catch {
    // this handler is that of ipywidgets, which anywidget's waits to call
    own.comm.on_msg((message) => handler.call(own, message));
    own.comm.send({ method: "request_state" });
  }
}

/** Return the widget; it follows the kernel also if its code came late. */
function following(widget) {
  const initialize = (context) => {
    // not awaited: anywidget counts it as part of loading
    follow(context.model).catch(console.error);
    return widget.initialize?.(context);
  };
  return { ...widget, initialize };
}
