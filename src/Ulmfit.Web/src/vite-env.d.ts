declare module "*.csv?url" {
  const address: string;
  export default address;
}

declare module "*.json?url" {
  const address: string;
  export default address;
}

declare module "*.css";
