// Sending a request. The page without a server has another file of this name.
export const send = (path, options) => fetch(path, options);
