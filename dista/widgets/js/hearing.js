// A widget's messages from Python, also where the page was too busy for anywidget: `dista/widgets/hearing.py` says why.

/** @typedef {{ get(name: string): any, send?(content: any): void, widget_manager?: { get_model(id: string): Promise<any> } }} Heard */

/**
 * Take the messages of this model from now on as ipywidgets does, without waiting for anywidget.
 * @param {{ model: Heard }} widget
 */
export async function initialize({ model }) {
  const name = model.get("own");
  if (!name || !model.widget_manager) return; // a page without a kernel, or a test
  hear(model, await model.widget_manager.get_model(name));
}

/** @param {Heard} model @param {any} own the model itself, of which anywidget hands out a part */
function hear(model, own) {
  const anywidget = Object.getPrototypeOf(own);
  const plain = Object.getPrototypeOf(anywidget)._handle_comm_msg;
  if (!own.comm?.on_msg || !plain) return;
  own.comm.on_msg(plain.bind(own));
  model.send?.("again");
}
